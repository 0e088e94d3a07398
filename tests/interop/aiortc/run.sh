#!/usr/bin/env bash
# Builds the scriptable peer, installs aiortc into a virtual environment under target/, and runs interop.py.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
venv=$target/aiortc
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
"$venv/bin/python" -c 'import aiortc' 2>/dev/null || "$venv/bin/pip" install --quiet 'aiortc==1.16.*'
(cd "$root" && cargo build --release --example stdio -p pavane-tokio)
"$venv/bin/python" "$here/interop.py" "$target/release/examples/stdio" "$@"
