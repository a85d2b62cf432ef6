#!/usr/bin/env bash
# Builds the images that docker-compose.yml names, where they are missing or their sources changed.
#
#   scripts/images.sh [leasehold] [linux] [wine] [redis] [haproxy]      all five when none is named
#
# Names come from the variables of docker-compose.yml (API_IMAGE, LINUX_IMAGE, …). API_BINARY names a
# binary to put into the leasehold image instead of building one.
#
# The images of Redis and HAProxy are pulled; where no registry is in reach, Debian's own packages stand in for them
# under the same names.
set -euo pipefail
source "$(dirname "$0")/lib.sh"
cd "$ROOT"

# build NAME ARGUMENT…: docker build, whose output is shown only when it fails.
build() {
    local name=$1
    shift
    local log=$STATE/build-${name//[^a-z0-9.-]/-}.log
    say "building the image $name"
    if ! docker build --tag "$name" "$@" >"$log" 2>&1; then
        tail -n 40 "$log" >&2
        die "the image $name could not be built; the end of its log stands above ($log)"
    fi
}

leasehold() {
    local name=${API_IMAGE:-leasehold} binary=${API_BINARY:-}
    if [[ -z $binary ]] && has cargo && on_base_release; then
        "$ROOT/scripts/web.sh"
        say "building leasehold (some minutes the first time)"
        cargo build --release --bin leasehold
        binary=${CARGO_TARGET_DIR:-target}/release/leasehold
    fi
    if [[ -n $binary ]]; then
        prebuilt "$name" "$binary"
    else
        build "$name" --file deploy/Dockerfile .
    fi
}

# A binary that was linked on the base's own release runs on it; one from a newer glibc may not.
on_base_release() {
    # shellcheck disable=SC1091 # the machine's own
    [[ -r /etc/os-release ]] && [[ $(. /etc/os-release && echo "${VERSION_CODENAME:-}") == bookworm ]]
}

# prebuilt NAME BINARY: in a context of its own, so that nothing but the binary is sent to the engine.
prebuilt() {
    local name=$1 binary=$2 context
    context=$(mktemp -d)
    strip --strip-debug -o "$context/leasehold" "$binary"
    build "$name" --file deploy/Dockerfile --target prebuilt --build-arg BINARY=leasehold "$context"
    rm -rf "$context"
}

linux() {
    build "${LINUX_IMAGE:-leasehold-linux}" --file deploy/targets/linux/Dockerfile deploy/targets
}

wine() {
    build "${WINE_IMAGE:-leasehold-wine}" --file deploy/targets/wine/Dockerfile deploy/targets
}

redis() {
    public "${REDIS_IMAGE:-redis:7-bookworm}" redis
}

haproxy() {
    public "${HAPROXY_IMAGE:-haproxy:2.6-bookworm}" haproxy
}

# public NAME STAND_IN: an image of a registry.
public() {
    local name=$1 stand_in=$2
    if docker image inspect "$name" >/dev/null 2>&1; then
        return
    fi
    say "pulling $name"
    if ! timeout 300 docker pull --quiet "$name" >/dev/null 2>&1; then
        say "no registry has $name in reach: Debian's package stands in"
        build "$name" "deploy/standins/$stand_in"
    fi
}

main() {
    (($#)) || set -- leasehold linux wine redis haproxy
    mkdir -p "$STATE"
    # One at a time: tests ask for the same images at the same moment.
    exec 9>"$STATE/images.lock"
    flock 9
    "$ROOT/scripts/base_image.sh"
    local image
    for image in "$@"; do
        case $image in
            leasehold | linux | wine | redis | haproxy) "$image" ;;
            *) die "images: $image is unknown; known are leasehold, linux, wine, redis and haproxy" ;;
        esac
    done
}

main "$@"
