// Command reference is the reference plugin of the test kit as a module.
package main

import (
	"github.com/programmable-mta/mta/sdk/plugintest"
	"github.com/programmable-mta/mta/sdk/serve"
)

func init() { serve.Register(plugintest.NewReference) }

func main() { serve.Run() }
