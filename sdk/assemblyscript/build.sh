#!/bin/sh
# Builds the examples of this folder into testdata/wasm. Needs node and npm
# (Debian: nodejs, npm); npm brings the compiler, in the version of package.json.
# With the word tools it brings the compiler only.
set -eu
cd "$(dirname "$0")"
[ -d node_modules/assemblyscript ] || npm install --no-package-lock --no-audit --no-fund
[ "${1-}" = tools ] && exit 0
for name in noop realrcpt greylist; do
	node node_modules/assemblyscript/bin/asc.js "examples/$name/index.ts" --config asconfig.json -o "${OUT:-../../testdata/wasm}/as-$name.wasm"
done
