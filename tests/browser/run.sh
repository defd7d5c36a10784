#!/bin/sh
# The page in a real browser: no console message, no request, no overflow, no clipped word, axe clean.
#
#   tests/browser/run.sh                 pages of the kept run files, drawn by $ASSAY or by a fresh build
#   tests/browser/run.sh PAGE.html ...   these pages
#
# Installs what it needs: Chromium with apt-get where there is none, playwright-core and axe-core into a
# folder of its own. Screenshots are left in $SHOTS, or in a temporary folder whose name is printed.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
SHOTS=${SHOTS:-$work/shots}
export SHOTS
mkdir -p "$SHOTS"

chromium=$(command -v chromium || command -v chromium-browser || true)
if [ -z "$chromium" ]; then
    apt-get update -qq
    apt-get install -y -qq chromium
    chromium=$(command -v chromium)
fi
if ! command -v npm >/dev/null; then
    apt-get update -qq
    apt-get install -y -qq nodejs npm
fi
export CHROMIUM="$chromium"

cp "$here/page.mjs" "$work/"
(cd "$work" && npm init -y >/dev/null 2>&1 &&
    npm install --silent --no-audit --no-fund playwright-core@1.65 axe-core@4 >/dev/null 2>&1)

if [ $# -eq 0 ]; then
    if [ -z "${ASSAY:-}" ]; then
        cargo build --quiet --manifest-path "$root/Cargo.toml"
        ASSAY=$root/target/debug/assay
    fi
    for run in "$root"/tests/it/fixtures/run-*.json; do
        name=$(basename "$run" .json)
        # The exit code is the verdict on the run; whether a page was written is what counts here.
        "$ASSAY" report "$run" --out "$work/$name" >/dev/null 2>&1 || true
        page=$(find "$work/$name" -maxdepth 1 -name '*.html' 2>/dev/null | head -n 1)
        [ -n "$page" ] || { echo "no page for $run: $ASSAY report $run --out DIR wrote none" >&2; exit 1; }
        mv "$page" "$work/$name.html"
        set -- "$@" "$work/$name.html"
    done
fi

node "$work/page.mjs" "$@"
echo "screenshots in $SHOTS"
