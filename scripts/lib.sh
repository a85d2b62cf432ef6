# What the scripts share. Sourced, not run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# Logs, pids and locks of what the scripts start.
STATE=$ROOT/.leasehold
# The base of every image; the programs of the targets come from its release.
BASE_IMAGE=debian:bookworm-slim
# shellcheck disable=SC2034 # read by the scripts that source this file
readonly ROOT STATE BASE_IMAGE

if ! command -v cargo >/dev/null && [[ -x $HOME/.cargo/bin/cargo ]]; then
    PATH=$HOME/.cargo/bin:$PATH
fi

# say TEXT…: tells of progress, on stderr so that a script's output stays its own.
say() {
    printf '==> %s\n' "$*" >&2
}

# die TEXT…: ends the script with the reason.
die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

has() {
    command -v "$1" >/dev/null
}

# as_root COMMAND…: runs it as root, directly or by a sudo that asks for no password.
as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n "$@"
    fi
}

can_be_root() {
    ((EUID == 0)) || sudo -n true 2>/dev/null
}

engine_answers() {
    docker info >/dev/null 2>&1
}

# compose ARGUMENT…: Compose v2 where the engine has it, else the docker-compose program.
compose() {
    if docker compose version >/dev/null 2>&1; then
        docker compose "$@"
    else
        docker-compose "$@"
    fi
}
