// Package meter rewrites a WebAssembly module so that it counts what it
// executes and stops when the host says so. (Text follows.)
package meter
