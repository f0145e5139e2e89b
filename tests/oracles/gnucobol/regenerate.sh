#!/bin/sh
# Compile usages.cob with GnuCOBOL (cobc), run it, and keep what it writes as hexadecimal in usages.hex.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$here/usages.cob" "$work"
cd "$work"
cobc -x -std=default -fixed -Wno-others usages.cob 2>/dev/null || cobc -x usages.cob
./usages
od -An -v -tx1 usages.dat > "${1:-$here/usages.hex}"
