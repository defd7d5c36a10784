#!/usr/bin/env bash
# Compares assay with other load generators on this machine and prints Markdown. Options are those of `peers compare`:
#   benches/peers/run.sh                              # everything, about twenty minutes
#   benches/peers/run.sh --rounds 5 --seconds 3 --connections 32,256 --rates "" --tls
# Installs what it can: wrk, h2load and GNU time by apt, oha by cargo. k6 is compared where it is on the PATH.
# ASSAY names another binary to measure.
set -euo pipefail
cd "$(dirname "$0")/../.."

missing=()
command -v wrk >/dev/null || missing+=(wrk)
command -v h2load >/dev/null || missing+=(nghttp2-client)
[ -x /usr/bin/time ] || missing+=(time)
command -v taskset >/dev/null || missing+=(util-linux)
if [ ${#missing[@]} -gt 0 ] && command -v apt-get >/dev/null; then
  { apt-get update -q && apt-get install -y -q "${missing[@]}"; } >&2 || echo "could not install ${missing[*]}" >&2
fi
if ! command -v oha >/dev/null; then
  cargo install oha --locked >&2 || echo "could not install oha" >&2
fi

# One after the other: in one build they would share the features of their dependencies.
cargo build --release --locked -p assay-benches --bin peers >&2
if [ -z "${ASSAY:-}" ]; then
  cargo build --release --locked >&2
  ASSAY="$PWD/target/release/assay"
fi

ulimit -n "$(ulimit -Hn)" || true
exec target/release/peers compare --assay "$ASSAY" "$@"
