// Command guest is the tenant-router example as a WebAssembly module or as a
// process.
package main

import (
	router "github.com/programmable-mta/mta/examples/tenant-router"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(router.New) }

func main() { serve.Run() }
