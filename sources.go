// Package mta carries the sources of the SDKs, so that the program alone can
// begin and build a plugin (mta plugin new) on a machine without this
// repository and without a network. Nothing else belongs here: whoever writes a
// plugin imports mta/sdk, and carries none of it.
package mta

import "embed"

// Sources are the SDKs, by their paths in the repository.
//
//go:embed sdk/README.md sdk/*/README.md
//go:embed go.mod sdk/*.go sdk/wire/*.go sdk/plugintest/*.go sdk/serve/serve.go sdk/serve/*_wasip1.go
//go:embed sdk/c/mta.h sdk/c/build.sh
//go:embed sdk/rust/Cargo.toml sdk/rust/build.sh sdk/rust/src/*.rs
//go:embed sdk/js/mta.js sdk/js/mta.d.ts
//go:embed sdk/python/mta_plugin/*.py sdk/python/mta_plugin/*.pyi
//go:embed sdk/assemblyscript/assembly/*.ts
var Sources embed.FS
