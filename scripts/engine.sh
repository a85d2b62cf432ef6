#!/usr/bin/env bash
# Starts a Docker engine where none answers, and ends the one that it started.
#
#   scripts/engine.sh start     prints "started" when it was started here, "found" when one answered already
#   scripts/engine.sh stop      ends the one that was started here; does nothing to another
#
# Its log is .leasehold/dockerd.log.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

PID_FILE=$STATE/dockerd.pid
LOG=$STATE/dockerd.log
SECONDS_TO_START=60

start() {
    if engine_answers; then
        echo found
        return
    fi
    has dockerd || [[ -x /usr/sbin/dockerd ]] || die "no Docker engine answers, and there is no dockerd to start"
    can_be_root || die "no Docker engine answers; please start it (only root can), or set DOCKER_HOST"
    mkdir -p "$STATE"
    say "starting dockerd (log: $LOG)"
    # A session of its own: Ctrl-C at the terminal is for the scripts, which end the engine in their turn. And none of our
    # stdout, which the caller reads to its end.
    # shellcheck disable=SC2016 # expanded by that shell
    as_root setsid sh -c 'echo $$ >"$1"; exec dockerd >"$2" 2>&1 </dev/null' sh "$PID_FILE" "$LOG" >/dev/null 2>&1 &
    local deadline=$((SECONDS + SECONDS_TO_START))
    until engine_answers; do
        ((SECONDS < deadline)) || give_up
        sleep 0.2
    done
    # The package may have begun to start one itself: then ours has ended, and the other is not ours to end.
    if running; then
        echo started
    else
        rm -f "$PID_FILE"
        echo found
    fi
}

give_up() {
    tail -n 20 "$LOG" >&2 || true
    stop
    die "dockerd did not become ready within $SECONDS_TO_START s; the end of its log stands above"
}

running() {
    [[ -f $PID_FILE ]] && [[ $(ps -o comm= -p "$(<"$PID_FILE")") == dockerd ]]
}

stop() {
    if running; then
        local pid
        pid=$(<"$PID_FILE")
        say "ending the dockerd that was started here"
        as_root kill "$pid"
        while running; do
            sleep 0.1
        done
    fi
    rm -f "$PID_FILE"
}

case ${1:-} in
    start) start ;;
    stop) stop ;;
    *) die "engine: start or stop" ;;
esac
