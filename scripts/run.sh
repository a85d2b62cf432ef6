#!/usr/bin/env bash
# From a fresh clone to a running system: `leasehold up` with its own Redis, replicas and targets.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

"$ROOT/scripts/setup.sh" redis
has cargo || die "please install Rust (https://rustup.rs), then run this again"
"$ROOT/scripts/web.sh"
say "building leasehold (a few minutes the first time)"
cargo build --bin leasehold
exec "${CARGO_TARGET_DIR:-target}/debug/leasehold" up "$@"
