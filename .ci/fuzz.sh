#!/usr/bin/env bash
# Every fuzz target of the tree for a while: fuzz.sh 3s
set -euo pipefail
time=${1:-3s} failed=0 out=$(mktemp)
trap 'rm -f "$out"' EXIT
fuzz() { go test "./$1" -run '^$' -fuzz "^$2\$" -fuzztime "$time" >"$out" 2>&1; }
# The fuzzer of Go reports its own end as a failure when a worker is busy at that
# moment: no input was found then, and the target has another turn.
late() { grep -q 'context deadline exceeded' "$out" && ! grep -q -e 'Failing input' -e 'panic:' -e '_test.go:' "$out"; }
for file in $(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' core sdk plugins cmd); do
  dir=$(dirname "$file")
  for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
    echo "fuzz ./$dir $target"
    fuzz "$dir" "$target" || { late && fuzz "$dir" "$target"; } || { late && echo "  (ended late twice)"; } || { cat "$out"; failed=1; }
  done
done
exit $failed
