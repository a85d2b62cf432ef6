#!/usr/bin/env bash
# Asks a running replica for everything that its OpenAPI document describes, with good data and bad: no answer but a
# documented one, and no 5xx but 503. Takes a minute (SCHEMATHESIS_SECONDS), always by the same seed.
#
# Schemathesis is installed from PyPI into a folder under target/. Where it cannot be had this says so, loudly, and fails only
# when SCHEMATHESIS_REQUIRED is set: a machine without PyPI is to be able to run the other tests.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

TARGET=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-target}")
VENV=$TARGET/schemathesis
REQUIREMENTS=$ROOT/scripts/requirements-schemathesis.txt
SECONDS_MOST=${SCHEMATHESIS_SECONDS:-45}
KEY=the-key-of-the-tests
# Two of its checks hold against any API but this one:
# - an ended session can still be read, so what was deleted is there (use_after_free);
# - bounds are settings and cursors are opaque, so a schema cannot say all that is refused (positive_data_acceptance).
EXCLUDED=use_after_free,positive_data_acceptance

install() {
    if [[ -x $VENV/bin/schemathesis ]] && cmp -s "$REQUIREMENTS" "$VENV/requirements.txt"; then
        return
    fi
    has python3 || return 1
    say "installing schemathesis from PyPI into $VENV"
    rm -rf "$VENV"
    python3 -m venv "$VENV" &&
        timeout 300 "$VENV/bin/pip" install --quiet --disable-pip-version-check --requirement "$REQUIREMENTS" &&
        cp "$REQUIREMENTS" "$VENV/requirements.txt"
}

not_to_be_had() {
    local what="NOT TESTED: the API against its document, for schemathesis cannot be installed (python3 with venv, PyPI)"
    [[ -z ${SCHEMATHESIS_REQUIRED:-} ]] || die "$what"
    say "$what"
    exit 0
}

# The last lines of a log, with what they are.
show_end() {
    printf -- '--- the end of %s\n' "$1" >&2
    tail -n 40 "$1" >&2 || true
}

# wait_for FILE PATTERN: until a log has it, at most ten seconds.
wait_for() {
    local deadline=$((SECONDS + 10))
    until grep -q "$2" "$1" 2>/dev/null; do
        if ((SECONDS >= deadline)); then
            show_end "$1"
            die "$1 does not say $2"
        fi
        sleep 0.1
    done
}

FOLDER=
PIDS=()
end_all() {
    ((${#PIDS[@]} == 0)) || kill "${PIDS[@]}" 2>/dev/null || true
    wait
    [[ -z $FOLDER ]] || rm -rf "$FOLDER"
}

configuration() {
    printf '[types.linux]\n[types.wine.probe]\nkind = "none"\n[[provider]]\nname = "farm"\nkind = "static"\n'
    local number
    for number in {1..50}; do
        printf '[[provider.container]]\nname = "wine-%d"\ntype = "wine"\nhost = "127.0.0.1"\nports = { vnc = %d }\n' \
            "$number" "$((5900 + number))"
    done
}

start() {
    FOLDER=$(mktemp -d)
    trap end_all EXIT
    configuration >"$FOLDER/leasehold.toml"
    redis-server --port 0 --unixsocket "$FOLDER/redis.sock" --save '' --appendonly no --dir "$FOLDER" >"$FOLDER/redis.log" &
    PIDS+=($!)
    wait_for "$FOLDER/redis.log" 'eady to accept connections'
    export LEASEHOLD_REDIS__URL=redis+unix://$FOLDER/redis.sock
    # Else it recovers all the time, and gives nothing out.
    "$TARGET/debug/leasehold" init --config "$FOLDER/leasehold.toml" 2>>"$FOLDER/replica.log"
    # A long poll of a minute would be all that is asked for in this minute.
    LEASEHOLD_LISTEN=127.0.0.1:0 LEASEHOLD_API_KEY=$KEY LEASEHOLD_LIMITS__LONG_POLL_MAX=1s \
        "$TARGET/debug/leasehold" serve --config "$FOLDER/leasehold.toml" \
        2>"$FOLDER/replica.log" &
    PIDS+=($!)
    wait_for "$FOLDER/replica.log" '"message":"listening"'
    URL=http://$(sed -n 's/.*"listening","address":"\([^"]*\)".*/\1/p' "$FOLDER/replica.log")
}

main() {
    "$ROOT/scripts/setup.sh" redis python
    install || not_to_be_had
    cargo build --locked --quiet --bin leasehold
    start
    say "schemathesis: $SECONDS_MOST s against $URL"
    # A stream of events has no end.
    local outcome=0
    (
        cd "$FOLDER"
        "$VENV/bin/schemathesis" --config-file "$ROOT/scripts/schemathesis.toml" run "$URL/openapi.json" \
            --exclude-path /events --header "X-API-Key: $KEY" --seed 1 --max-time "$SECONDS_MOST" --generation-database none \
            --checks all --exclude-checks "$EXCLUDED" --no-color >schemathesis.log 2>&1
    ) || outcome=$?
    if ((outcome)); then
        cat "$FOLDER/schemathesis.log" >&2
        die "the API does not do what its document says, as shown above"
    fi
    if grep -q '"message":"panicked"' "$FOLDER/replica.log"; then
        show_end "$FOLDER/replica.log"
        die "the replica panicked"
    fi
    grep -E 'generated|passed' "$FOLDER/schemathesis.log" >&2
}

main
