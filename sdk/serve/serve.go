// Package serve makes a program of a plugin. The same two lines build a
// WebAssembly module and a process plugin:
//
//	package main
//
//	import (
//		"example.org/greylist"
//
//		"github.com/programmable-mta/mta/sdk/serve"
//	)
//
//	func init() { serve.Register(greylist.New) }
//	func main() { serve.Run() }
//
// As a module, built with
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -ldflags='-s -w' -o greylist.wasm
//
// it exports what sdk/abi.md asks for; the relay never calls main. Built in the
// ordinary way it is a process that the relay starts and speaks gRPC with.
//
// A hook that panics answers nothing: the relay handles the call as on_error says.
// An instance of a module is thrown away; a process goes on, with the trace in the
// relay's log.
package serve

import "github.com/programmable-mta/mta/sdk"

// construct makes the plugin of this program.
var construct func() sdk.Plugin

// Register says which plugin this program is. It is called once, from an init
// function, because nothing calls main in a WebAssembly module.
func Register(New func() sdk.Plugin) { construct = New }
