// Command guest is the ratelimit example as a WebAssembly module or as a process.
package main

import (
	"github.com/programmable-mta/mta/examples/ratelimit"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(ratelimit.New) }

func main() { serve.Run() }
