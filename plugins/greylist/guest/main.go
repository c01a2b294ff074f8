// Command guest is the greylist plugin as a WebAssembly module or as a process.
package main

import (
	"github.com/programmable-mta/mta/plugins/greylist"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(greylist.New) }

func main() { serve.Run() }
