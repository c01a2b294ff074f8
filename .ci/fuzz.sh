#!/usr/bin/env bash
# Every fuzz target of the tree for a while: fuzz.sh 3s
set -euo pipefail
time=${1:-3s} failed=0
for file in $(grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' core sdk plugins cmd); do
  dir=$(dirname "$file")
  for target in $(sed -nE 's/^func (Fuzz[A-Za-z0-9_]*)\(.*/\1/p' "$file"); do
    echo "fuzz ./$dir $target"
    go test "./$dir" -run '^$' -fuzz "^$target\$" -fuzztime "$time" >/tmp/fuzz.out 2>&1 || { cat /tmp/fuzz.out; failed=1; }
  done
done
exit $failed
