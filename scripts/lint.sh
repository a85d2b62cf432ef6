#!/usr/bin/env bash
# Checks that need no running system. Tools that the toolchain does not bring are used where they are installed.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

ADVISORIES=https://github.com/RustSec/advisory-db

# where_installed PROGRAM COMMAND…
where_installed() {
    local program=$1
    shift
    if has "$program"; then
        say "$*"
        "$@"
    else
        say "skipped, $program is not installed: $*"
    fi
}

# `INSTALL_CARGO_DENY=1 make setup` installs cargo-deny.
licences_and_advisories() {
    where_installed cargo-deny cargo deny --log-level error check licenses bans sources
    if ! timeout 30 git ls-remote --quiet --exit-code "$ADVISORIES" HEAD >/dev/null 2>&1; then
        say "skipped, the database of advisories is not in reach: $ADVISORIES"
    elif has cargo-deny; then
        say "cargo deny check advisories"
        cargo deny --log-level error check advisories
    else
        where_installed cargo-audit cargo audit --quiet
    fi
}

say "cargo fmt --check"
cargo fmt --all --check
cargo fmt --manifest-path fuzz/Cargo.toml --check
say "cargo clippy"
cargo clippy --all-targets --test torture --locked -- -D warnings
say "the dashboard: types and unit tests"
"$ROOT/scripts/web.sh" check
where_installed shellcheck shellcheck .ci/run start_docker_compose.sh scripts/*.sh deploy/targets/*.sh
where_installed haproxy haproxy -c -q -f deploy/haproxy/haproxy.cfg
where_installed promtool promtool check rules deploy/prometheus/leasehold.rules.yml
where_installed promtool promtool test rules deploy/prometheus/leasehold.tests.yml
licences_and_advisories
