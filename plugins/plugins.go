// Package plugins lists the plugins that are compiled into the relay, one a
// folder. It holds no plugin itself and decides nothing: the configuration says
// which of them are loaded, and in which order.
//
// To add one, make a folder NAME with NAME.go (its New makes a value), a test,
// a README.md and stories in testdata, and run go generate ./plugins.
package plugins

//go:generate go run gen.go
