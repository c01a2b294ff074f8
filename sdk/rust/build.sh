#!/bin/sh
# build.sh DIR OUT.wasm - builds the one .rs file in DIR whose name is that of the
# folder as a plugin, with rustc alone. RUSTC names another compiler; RUSTFLAGS
# are added to its flags.
set -eu
dir=${1:?usage: build.sh DIR OUT.wasm} out=${2:?usage: build.sh DIR OUT.wasm}
here=$(cd "$(dirname "$0")" && pwd)
name=$(basename "$(cd "$dir" && pwd)")
target=wasm32-unknown-unknown

# A compiler is good when it has the standard library of the target.
good() {
    command -v "$1" >/dev/null 2>&1 && ls "$("$1" --print sysroot)/lib/rustlib/$target/lib"/libcore-*.rlib >/dev/null 2>&1
}
if [ -z "${RUSTC:-}" ]; then
    for c in rustc /usr/bin/rustc; do
        if good "$c"; then
            RUSTC=$c
            break
        fi
    done
fi
if [ -z "${RUSTC:-}" ] || ! good "$RUSTC"; then
    echo "build.sh: no rustc with $target: rustup target add $target, or apt-get install rustc libstd-rust-dev-wasm32 lld-14" >&2
    exit 127
fi

# Debian's compiler comes without a linker for the target. It has to be one that
# reads the object files of that compiler: the one of its own LLVM.
linker=
if [ ! -x "$("$RUSTC" --print sysroot)/lib/rustlib/$("$RUSTC" -vV | sed -n 's/^host: //p')/bin/rust-lld" ]; then
    llvm=$("$RUSTC" -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
    for l in "wasm-ld-$llvm" rust-lld wasm-ld; do
        if command -v "$l" >/dev/null; then
            linker="-C linker=$l"
            break
        fi
    done
    if [ -z "$linker" ]; then
        echo "build.sh: no linker for $target: apt-get install lld-$llvm" >&2
        exit 127
    fi
fi

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
flags="--edition 2021 --target $target -O -C panic=abort -C codegen-units=1 -C target-feature=+bulk-memory --remap-path-prefix $here=mta --remap-path-prefix $dir=. ${RUSTFLAGS:-}"
# Before 1.68 there is no alloc without std in a plugin.
panic=panic
if [ "$("$RUSTC" -vV | sed -n 's/^release: 1\.\([0-9]*\).*/\1/p')" -lt 68 ]; then
    panic=std
fi
# $flags and $linker are lists of words.
# shellcheck disable=SC2086
"$RUSTC" $flags --crate-type rlib --crate-name mta --cfg 'feature="alloc"' --cfg "feature=\"$panic\"" --out-dir "$tmp" "$here/src/lib.rs"
# shellcheck disable=SC2086
"$RUSTC" $flags $linker --crate-type cdylib --crate-name "$name" --extern mta="$tmp/libmta.rlib" -C lto=fat -C strip=symbols \
    -C link-arg=-zstack-size=65536 -o "$out" "$dir/$name.rs"
