#!/usr/bin/env bash
# One command from nothing to a pool: makes .env and the images, brings docker-compose.yml up, and says how to reach it.
#
#   ./start_docker_compose.sh [--profile android] [ARGUMENT OF up…]
#   ./start_docker_compose.sh --scale wine-target=3
#
# `docker-compose down` ends it; with -v also the pool's data.
set -euo pipefail
source "$(dirname "$0")/scripts/lib.sh"
cd "$ROOT"

SECONDS_TO_START=120

# What is in .env stays; what it lacks is made.
make_env() {
    if [[ ! -f .env ]]; then
        say "making .env of .env.example"
        (umask 077 && cp .env.example .env)
    fi
    if [[ -z ${LEASEHOLD_API_KEY:-} ]] && ! grep -q '^LEASEHOLD_API_KEY=.' .env; then
        set_in_env LEASEHOLD_API_KEY "lh_$(random_secret)"
        say "made an API key; it is in .env"
    fi
    if [[ -z ${LEASEHOLD_LEASE_TOKEN_KEY:-} ]] && ! grep -q '^LEASEHOLD_LEASE_TOKEN_KEY=.' .env; then
        set_in_env LEASEHOLD_LEASE_TOKEN_KEY "$(random_secret)"
    fi
    set_in_env DOCKER_GID "$(socket_group)"
}

random_secret() {
    head -c 48 /dev/urandom | base64 | tr -d '+/=\n'
}

# set_in_env NAME VALUE
set_in_env() {
    if grep -q "^$1=" .env; then
        sed -i "s|^$1=.*|$1=$2|" .env
    else
        echo "$1=$2" >>.env
    fi
}

socket_group() {
    stat -c %g "${DOCKER_SOCKET:-/var/run/docker.sock}" 2>/dev/null || echo 0
}

# setting NAME: from the environment, else from .env, as Compose does it.
setting() {
    printf '%s' "${!1:-$(sed -n "s/^$1=//p" .env | tail -n 1)}"
}

# The images that the services need, by the rules of scripts/images.sh.
make_images() {
    local name
    for name in API_IMAGE LINUX_IMAGE WINE_IMAGE REDIS_IMAGE HAPROXY_IMAGE; do
        export "$name=$(setting "$name")"
        [[ -n ${!name} ]] || unset "$name"
    done
    "$ROOT/scripts/images.sh" leasehold linux wine redis haproxy
}

wait_until_ready() {
    local url=$1 deadline=$((SECONDS + SECONDS_TO_START))
    say "waiting for the replicas"
    until curl --silent --fail --max-time 2 --output /dev/null "$url/readyz"; do
        ((SECONDS < deadline)) || die "no replica became ready within $SECONDS_TO_START s: see \`docker-compose logs\`"
        sleep 0.5
    done
}

tell() {
    local url=$1
    compose ps
    cat <<-TEXT

	Leasehold answers at $url (reference: $url/docs).
	Its key is LEASEHOLD_API_KEY in .env:

	  export LEASEHOLD_API_KEY=$(setting LEASEHOLD_API_KEY)
	  curl -H "X-API-Key: \$LEASEHOLD_API_KEY" $url/containers/status
	  curl -H "X-API-Key: \$LEASEHOLD_API_KEY" -H 'Content-Type: application/json' -d '{"target_type":"wine"}' $url/sessions

	TEXT
}

main() {
    local profile=()
    if [[ ${1:-} == --profile ]]; then
        profile=(--profile "${2:?--profile needs a name}")
        shift 2
    fi
    "$ROOT/scripts/setup.sh" docker curl
    # Not ended with this script: the pool runs on it.
    "$ROOT/scripts/engine.sh" start >/dev/null
    make_env
    make_images
    say "starting the services"
    compose "${profile[@]}" up -d --no-build "$@"
    local address
    address=$(compose port load-balancer 8088)
    wait_until_ready "http://${address/0.0.0.0/127.0.0.1}"
    tell "http://${address/0.0.0.0/127.0.0.1}"
}

main "$@"
