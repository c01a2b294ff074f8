// Package hook asks the plugins: it keeps the chain of each hook in the order
// of the configuration, folds the answers into one verdict, and stands in for
// plugins that are broken.
package hook
