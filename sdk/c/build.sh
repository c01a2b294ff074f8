#!/bin/sh
# build.sh DIR OUT.wasm - builds the C sources in DIR as a plugin.
# CC names another compiler (it must know wasm32); CFLAGS are added to its flags.
set -eu
dir=${1:?usage: build.sh DIR OUT.wasm} out=${2:?usage: build.sh DIR OUT.wasm}
here=$(cd "$(dirname "$0")" && pwd)

# The linker belongs to the compiler: a clang without its wasm-ld cannot link.
if [ -z "${CC:-}" ]; then
    for v in "" -22 -21 -20 -19 -18 -17 -16 -15 -14; do
        if command -v "clang$v" >/dev/null && command -v "wasm-ld$v" >/dev/null; then
            CC=clang$v
            break
        fi
    done
fi
if [ -z "${CC:-}" ]; then
    echo "build.sh: no clang with wasm-ld: apt-get install clang-19 lld-19 (clang and lld elsewhere), or npm install @yowasp/clang and CC='npx yowasp-clang'" >&2
    exit 127
fi

# --stack-first: a stack that overflows traps instead of writing into the data.
# $CC and $CFLAGS are lists of words.
# shellcheck disable=SC2086
exec $CC --target=wasm32 -std=c11 -O2 -Wall -Wextra -ffreestanding -mbulk-memory -nostdlib -I"$here" ${CFLAGS:-} \
    -Wl,--no-entry -Wl,--stack-first -Wl,-z,stack-size=65536 -Wl,--strip-all -o "$out" "$dir"/*.c
