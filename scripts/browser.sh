#!/usr/bin/env bash
# Tests the dashboard in Chromium, on two replicas with a Redis of their own; containers that write a log where the Docker engine answers.
#
#   scripts/browser.sh              as `make test` does
#   SCREENSHOTS=1 scripts/browser.sh    and takes the pictures of docs/images/
#
# Where npm, Chromium or the dashboard cannot be had it says NOT TESTED, and fails only when BROWSER_REQUIRED is set.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

FOLDER=$ROOT/tests/browser
MOST_SECONDS=${BROWSER_SECONDS:-300}

not_tested() {
    [[ -z ${BROWSER_REQUIRED:-} ]] || die "NOT TESTED: the dashboard in a browser: $1"
    say "NOT TESTED: the dashboard in a browser: $1"
    exit 0
}

dependencies() {
    local stamp=$FOLDER/node_modules/.installed
    if [[ ! -e $stamp ]] || ! cmp -s "$FOLDER/package-lock.json" "$stamp"; then
        say "npm ci in tests/browser/"
        npm ci --prefix "$FOLDER" --no-audit --no-fund --loglevel=error >&2 || return
        cp "$FOLDER/package-lock.json" "$stamp"
    fi
}

has npm || not_tested "npm is not installed"
"$ROOT/scripts/setup.sh" redis
"$ROOT/scripts/setup.sh" chromium || not_tested "Chromium cannot be installed"
dependencies || not_tested "npm could not fetch the dependencies of tests/browser/"
"$ROOT/scripts/web.sh"
[[ -e web/dist/index.html ]] || not_tested "the dashboard was not built"
cargo build --locked --quiet --bin leasehold

CHROMIUM=$(command -v chromium || command -v chromium-browser)
LEASEHOLD=$(realpath "${CARGO_TARGET_DIR:-target}")/debug/leasehold
BROWSER_IMAGE= BROWSER_DESKTOP_IMAGE=
if engine_answers; then
    "$ROOT/scripts/base_image.sh"
    BROWSER_IMAGE=$BASE_IMAGE
    "$ROOT/scripts/images.sh" linux
    BROWSER_DESKTOP_IMAGE=leasehold-linux
else
    say "NOT TESTED: logs and figures of containers and a quarantine in the dashboard, for no Docker engine answers"
fi
export CHROMIUM LEASEHOLD BROWSER_IMAGE BROWSER_DESKTOP_IMAGE
say "the dashboard in a browser"
timeout --kill-after 5 "$MOST_SECONDS" node --test --test-concurrency=1 --test-force-exit --test-reporter=spec "$FOLDER"/*.test.js
