#!/bin/sh
# Packs the examples of this folder into testdata/wasm. Needs npm (Debian: npm),
# which brings the engine in the version of package.json, and go. With the word
# tools it brings the engine only.
set -eu
cd "$(dirname "$0")"
[ -d node_modules/quickjs-wasi ] || npm install --no-package-lock --no-audit --no-fund
[ "${1-}" = tools ] || go test -run TestThePrebuiltExamplesAreTheirSources -update .
