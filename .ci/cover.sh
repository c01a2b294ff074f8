#!/usr/bin/env bash
# Coverage of packages must reach a percentage: cover.sh 85 ./core/smtp ...
set -euo pipefail
want=$1; shift
go test -cover "$@" | tee /tmp/cover.out
awk -v want="$want" '/^ok/ { for (i = 1; i <= NF; i++) if ($i == "coverage:") { p = $(i+1); sub(/%/, "", p); n++; if (p + 0 < want) { print $2 " is covered to " p "%, less than " want "%: test what is missing"; bad = 1 } } } END { exit bad || !n }' /tmp/cover.out
