// Command guest is the webhook example as a WebAssembly module or as a process.
package main

import (
	"github.com/programmable-mta/mta/examples/webhook"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(webhook.New) }

func main() { serve.Run() }
