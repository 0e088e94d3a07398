#!/usr/bin/env bash
# Pavane's SCTP beside usrsctp's, on the loopback interface: both ways, in every role, interleaved and not: run.sh [EXAMPLES]
#
# EXAMPLES is where the example `usrsctp` of pavane-tests is; it is built where none is named.
set -euo pipefail
cd "$(dirname "$0")/../../.."
if [ $# -eq 0 ]; then
    cargo build --quiet --example usrsctp -p pavane-tests
    set -- target/debug/examples
fi
peer=$(mktemp -d)/peer
trap 'rm -rf "$(dirname "$peer")"' EXIT
cc -O1 -Wall -Wextra -Werror -o "$peer" tests/interop/usrsctp/peer.c -lusrsctp -lpthread
"$1/usrsctp" "$peer"
