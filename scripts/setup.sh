#!/usr/bin/env bash
# Installs what is missing.
#
#   scripts/setup.sh [redis] [sentinel] [faketime] [docker] [debootstrap] [curl] [openssl] [python] [promtool] [chromium]      all when none is named
#   scripts/setup.sh postgresql      for the benchmark
#
# With INSTALL_CARGO_DENY=1 also cargo-deny, which `make lint` uses where it is.
#
# On Debian and Ubuntu by apt-get, as root or by a sudo without password; elsewhere it says what to install.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# packages_for WHAT: the Debian packages that are missing for it, one on each line.
packages_for() {
    case $1 in
        redis) has redis-server || echo redis-server ;;
        sentinel) has redis-sentinel || echo redis-sentinel ;;
        # The torture sets clocks with its library.
        faketime) has faketime || echo faketime ;;
        docker)
            # A client alone starts nothing: it wants an engine that answers, or one to start.
            engine_answers || has dockerd || [[ -x /usr/sbin/dockerd ]] || echo docker.io
            has docker-compose || docker compose version >/dev/null 2>&1 || echo docker-compose
            ;;
        debootstrap) has debootstrap || [[ -x /usr/sbin/debootstrap ]] || echo debootstrap ;;
        curl) has curl || echo curl ;;
        openssl) has openssl || echo openssl ;;
        python) python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv ;;
        # It comes with the server, which the tests do not start.
        promtool) has promtool || echo prometheus ;;
        # The dashboard is tested in it.
        chromium) has chromium || has chromium-browser || echo chromium ;;
        postgresql) [[ -d /usr/lib/postgresql ]] || echo postgresql ;;
        *) die "setup: $1 is unknown; known are redis, sentinel, faketime, docker, debootstrap, curl, openssl, python, promtool, chromium and postgresql" ;;
    esac
}

# Debian starts a service that it installs; ours are private, so for Redis that is forbidden while it is installed.
without_services() {
    local policy=/usr/sbin/policy-rc.d
    if [[ -e $policy ]]; then
        "$@"
        return
    fi
    printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
    as_root chmod +x "$policy"
    local outcome=0
    "$@" || outcome=$?
    as_root rm -f "$policy"
    return "$outcome"
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" </dev/null >&2
}

install() {
    has apt-get || die "please install $*, then run this again (here is no apt-get to do it with)"
    can_be_root || die "please install $*, then run this again: sudo apt-get install $*"
    say "installing $*"
    as_root apt-get update -q </dev/null >&2
    local package
    for package in "$@"; do
        if [[ $package == redis-* || $package == postgresql || $package == prometheus ]]; then
            without_services apt_install "$package"
            # Not at the next start of the machine either.
            [[ -d /run/systemd/system ]] && as_root systemctl disable --quiet "$package"
        else
            apt_install "$package"
        fi
    done
}

# Built from source, which takes some minutes: only when it is asked for.
install_cargo_deny() {
    has cargo-deny && return
    has cargo || die "please install Rust (https://rustup.rs), then run this again"
    say "building cargo-deny"
    timeout 1200 cargo install --locked --quiet cargo-deny || die "cargo-deny could not be built within 20 minutes"
}

main() {
    (($#)) || set -- redis sentinel faketime docker debootstrap curl openssl python promtool chromium
    local what missing=()
    for what in "$@"; do
        mapfile -t -O "${#missing[@]}" missing < <(packages_for "$what")
    done
    if ((${#missing[@]})); then
        install "${missing[@]}"
        say "installed ${missing[*]}"
    fi
    if [[ ${INSTALL_CARGO_DENY:-} == 1 ]]; then
        install_cargo_deny
    fi
}

main "$@"
