// Command guest is the quarantine example as a WebAssembly module or as a process.
package main

import (
	"github.com/programmable-mta/mta/examples/quarantine"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(quarantine.New) }

func main() { serve.Run() }
