#!/usr/bin/env bash
# The load engine at its real size: exact figures, memory, ten thousand chains, the knee.
#   tests/scale/run.sh          what takes a minute and a half
#   tests/scale/run.sh long     the rest, about a quarter of an hour
# ASSAY names the binary to measure; without it the release build is made.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${ASSAY:-}" ]; then
  cargo build --release --locked
  ASSAY="$PWD/target/release/assay"
fi
export ASSAY
ulimit -n "$(ulimit -Hn)" || true
quick=(accuracy::a_stall_of accuracy::a_lognormal accuracy::a_bimodal size::memory_follows)
long=(size::ten_thousand knee:: size::memory_is_flat)
case "${1:-quick}" in
  quick) what=("${quick[@]}") ;;
  long) what=("${long[@]}") ;;
  *) what=("$@") ;;
esac
# One at a time: each needs the machine to itself.
exec cargo test --locked --test scale -- --ignored --nocapture --test-threads=1 "${what[@]}"
