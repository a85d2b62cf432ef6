#!/usr/bin/env bash
# Builds the dashboard into web/dist, which the program embeds; nothing is done when nothing changed.
#
#   scripts/web.sh           build
#   scripts/web.sh check     types, whether the generated ones are up to date, unit tests
#
# Without npm it says so and goes on: the program is built with a page in the dashboard's place. WEB_REQUIRED=1 makes that an error.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT/web"

# The dependencies of package-lock.json, exactly.
dependencies() {
    local stamp=node_modules/.installed
    if [[ ! -e $stamp ]] || ! cmp -s package-lock.json "$stamp"; then
        say "npm ci in web/"
        npm ci --no-audit --no-fund --loglevel=error >&2 || return
        cp package-lock.json "$stamp"
    fi
}

# What the result is made of, in one word.
sources() {
    find . \( -name node_modules -o -name dist \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum
}

build() {
    local stamp=$STATE/web-sources
    if [[ -e dist/index.html ]] && [[ "$(sources)" == "$(cat "$stamp" 2>/dev/null)" ]]; then
        return
    fi
    dependencies || missing "npm could not fetch the dependencies of web/"
    say "building the dashboard"
    npm run --silent build >&2
    mkdir -p "$STATE"
    sources >"$stamp"
}

missing() {
    [[ ${WEB_REQUIRED:-} != 1 ]] || die "$1: the dashboard cannot be built"
    say "NO DASHBOARD: $1; it needs Node 20 or later with npm. The page at / says so."
    exit 0
}

has npm || missing "npm is not installed"
# Debian 12 has Node 18, which the build does not run on.
(("$(node -p 'process.versions.node.split(".")[0]')" >= 20)) || missing "Node $(node -v) is too old"
case ${1:-build} in
    build) build ;;
    check)
        dependencies || missing "npm could not fetch the dependencies of web/"
        npm run --silent check >&2
        ;;
    *) die "web: build or check" ;;
esac
