#!/usr/bin/env bash
# Tortures Leasehold: every topology with every seed, or one run with the arguments that are given.
#
#   scripts/torture.sh                          the whole series
#   scripts/torture.sh --seed 7 --seconds 60    one run; --help lists the arguments
#
#   SEEDS="1 2 3 4 5"  TOPOLOGIES="single sentinel cluster"  SECONDS_EACH=120      the series, by default
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

torture() {
    cargo test --locked --quiet --test torture -- "$@"
}

# The guarantee is broken on purpose: it is right that this run fails.
broken() {
    say "with the guarantee broken, which the checker must find"
    local outcome=0
    torture --break --seed 1 --seconds 15 || outcome=$?
    ((outcome == 1)) || die "the checker found nothing"
}

series() {
    local topology seed failed=()
    for topology in ${TOPOLOGIES:-single sentinel cluster}; do
        for seed in ${SEEDS:-1 2 3 4 5}; do
            say "$topology, seed $seed"
            torture --topology "$topology" --seed "$seed" --seconds "${SECONDS_EACH:-120}" || failed+=("$topology $seed")
        done
    done
    broken
    ((${#failed[@]} == 0)) || die "promises did not hold with: ${failed[*]}"
    say "all promises held"
}

"$ROOT/scripts/setup.sh" redis sentinel faketime
if (($#)); then
    torture "$@"
else
    series
fi
