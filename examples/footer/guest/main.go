// Command guest is the footer example as a WebAssembly module or as a process.
package main

import (
	"github.com/programmable-mta/mta/examples/footer"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(footer.New) }

func main() { serve.Run() }
