#!/usr/bin/env bash
# Runs each fuzz target for a while, and says what is missing where it cannot.
#
#   scripts/fuzz.sh [TARGET…]     all of them when none is named; FUZZ_SECONDS each (60)
#
# What was found in former runs is kept in fuzz/corpus, an input that fails in fuzz/artifacts.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

SECONDS_EACH=${FUZZ_SECONDS:-60}
# What one input may take: far more than any needs.
MEMORY_MIB=1024
SECONDS_MOST=10
BYTES_MOST=65536

require() {
    has cargo || die "please install Rust (https://rustup.rs), then run this again"
    has rustup || die "cargo-fuzz needs a nightly toolchain, and here is no rustup: https://rustup.rs"
    rustup run nightly rustc --version >/dev/null 2>&1 ||
        die "no nightly toolchain is installed: rustup toolchain install nightly --profile minimal"
    cargo fuzz --version >/dev/null 2>&1 || die "cargo-fuzz is not installed: cargo install --locked cargo-fuzz"
    has cc || has clang || die "cargo-fuzz needs a C++ compiler for libFuzzer: apt-get install g++"
}

fuzz() {
    local target=$1
    mkdir -p "fuzz/corpus/$target"
    say "fuzzing $target for $SECONDS_EACH s"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$SECONDS_EACH" -rss_limit_mb="$MEMORY_MIB" -timeout="$SECONDS_MOST" -max_len="$BYTES_MOST" \
        -print_final_stats=1 2>"$STATE/fuzz-$target.log" || {
        tail -n 60 "$STATE/fuzz-$target.log" >&2
        die "$target fails; the input is in fuzz/artifacts/$target, the log is $STATE/fuzz-$target.log"
    }
    grep -E 'number_of_executed_units|peak_rss_mb' "$STATE/fuzz-$target.log" >&2 || true
}

main() {
    require
    mkdir -p "$STATE"
    if (($# == 0)); then
        mapfile -t targets < <(cargo +nightly fuzz list)
        set -- "${targets[@]}"
    fi
    say "building the fuzz targets (some minutes the first time)"
    cargo +nightly fuzz build
    local target
    for target in "$@"; do
        fuzz "$target"
    done
}

main "$@"
