#!/bin/sh
# The page in a real browser: no console message, no request, no overflow, no clipped word, axe clean.
#
#   tests/browser/run.sh                 the pages of every kind of run, of comparisons and of histories
#   tests/browser/run.sh PAGE.html ...   those, and these pages
#   PAGES="hour compared" tests/browser/run.sh    some of those
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

# Pages of runs made by hand: good, failed, interrupted, untrusted, compared, a history, an hour, and hostile ones.
ASSAY_PAGES="$work/pages" cargo test --quiet --locked --manifest-path "$root/Cargo.toml" --test it -- report::page::every report::side_by_side >/dev/null
for name in ${PAGES:-good failed interrupted untrusted gate undecided little-and-much hostile hour \
    compared compared-slower compared-same compared-apart compared-demonstration compared-hostile \
    history history-of-one history-of-a-year}; do
    [ -f "$work/pages/$name.html" ] || { echo "no page $name" >&2; exit 1; }
    set -- "$@" "$work/pages/$name.html"
done

node "$work/page.mjs" "$@"
echo "screenshots in $SHOTS"
