#!/usr/bin/env bash
# The load engine at its real size: exact figures, memory, ten thousand chains, the knee.
#   tests/scale/run.sh          whether the figures are right: a minute
#   tests/scale/run.sh long     memory, ten thousand chains, the knee: a quarter of an hour
#   tests/scale/run.sh truth    whether comparisons tell what differs, twenty times: about 75 minutes, with a folder
#                               (TRUTH, else target/truth) in which runs are kept, so that it can be stopped and gone on with;
#                               in parts: tests/scale/run.sh truth::five_percent …; TRUTH_RUNS=2 for a first look
#   tests/scale/run.sh NAME …   these tests
# ASSAY names the binary to measure; without it the release build is made.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${ASSAY:-}" ]; then
  cargo build --release --locked
  ASSAY="$PWD/target/release/assay"
fi
export ASSAY
ulimit -n "$(ulimit -Hn)" || true
quick=(accuracy::)
long=(size:: knee::)
case "${1:-quick}" in
  quick) what=("${quick[@]}") ;;
  truth) what=(truth::) ;;
  long) what=("${long[@]}") ;;
  *) what=("$@") ;;
esac
# One at a time: each needs the machine to itself.
exec cargo test --locked --test scale -- --ignored --nocapture --test-threads=1 "${what[@]}"
