#!/usr/bin/env bash
# Runs the benchmark.
#
#   scripts/bench.sh full       everything, with peers to compare with; writes docs/benchmarks/
#   scripts/bench.sh quick      a little of everything; writes target/benchmarks/
#
# Peers are installed below target/, where their registries can be reached: PostgreSQL is Debian's. What could not be installed
# is named as missing in the report.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

readonly PEERS=target/peers
readonly PYTHON_PACKAGES=(fastapi==0.165.0 uvicorn==0.54.0 uvloop==0.23.0 httptools==0.9.0 websockify==0.13.0)
readonly NODE_PACKAGES=(bullmq@6.7.0 ioredis@6.0.0)

# attempt WHAT COMMAND…: a peer that cannot be installed is no reason not to measure.
attempt() {
    local what=$1
    shift
    say "installing $what to compare with"
    "$@" || say "$what could not be installed"
}

python_peer() {
    python3 -m venv "$PEERS/python" && "$PEERS/python/bin/pip" install --quiet "${PYTHON_PACKAGES[@]}"
}

node_peer() {
    npm install --silent --no-fund --no-audit --prefix "$PEERS/node" "${NODE_PACKAGES[@]}"
}

peers() {
    [[ -x $PEERS/python/bin/uvicorn && -x $PEERS/python/bin/websockify ]] || attempt "FastAPI and websockify" python_peer
    [[ -d $PEERS/node/node_modules/ioredis ]] || attempt BullMQ node_peer
    [[ -d /usr/lib/postgresql ]] || attempt PostgreSQL "$ROOT/scripts/setup.sh" postgresql
}

[[ ${1:-} == full || ${1:-} == quick ]] || die "bench: full or quick"
"$ROOT/scripts/setup.sh" redis
mkdir -p "$PEERS"
peers
say "building the release"
BENCH=$1 cargo bench --locked --bench bench
