#!/usr/bin/env bash
# Sees to it that the engine has debian:bookworm-slim: pulls it, or makes it from Debian's packages where no registry
# is in reach. An image of that name that is there already is left as it is.
set -euo pipefail
source "$(dirname "$0")/lib.sh"

# What Debian's own image has too: where packages come from, and no downloaded archive left over in any layer.
write_apt_settings() {
    local root=$1 mirror=$2
    write_sources "$mirror" | as_root tee "$root/etc/apt/sources.list" >/dev/null
    echo 'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };' |
        as_root tee "$root/etc/apt/apt.conf.d/docker-clean" >/dev/null
}

write_sources() {
    local mirror=$1
    cat <<-SOURCES
		deb $mirror/debian bookworm main
		deb $mirror/debian bookworm-updates main
		deb $mirror/debian-security bookworm-security main
	SOURCES
}

make_base() {
    "$ROOT/scripts/setup.sh" debootstrap
    can_be_root || die "please make $BASE_IMAGE available (docker pull); only root can make it here with debootstrap"
    local mirror=${DEBIAN_MIRROR:-http://deb.debian.org}
    local folder
    folder=$(mktemp -d /var/tmp/leasehold-base.XXXXXX)
    # shellcheck disable=SC2064 # the folder of now
    trap "as_root rm -rf '$folder'" EXIT
    say "making $BASE_IMAGE with debootstrap from $mirror (about a minute)"
    as_root env PATH="$PATH:/usr/sbin:/sbin" \
        debootstrap --variant=minbase bookworm "$folder/root" "$mirror/debian" >"$folder/log" 2>&1 || {
        tail -n 20 "$folder/log" >&2
        die "debootstrap failed; the end of its log stands above"
    }
    write_apt_settings "$folder/root" "$mirror"
    # shellcheck disable=SC2016 # expanded by that shell
    as_root sh -c 'cd "$1" && rm -rf var/cache/apt/* var/lib/apt/lists/* var/log/*.log usr/share/doc/* usr/share/man/*' \
        sh "$folder/root"
    as_root tar -C "$folder/root" -c . | docker import --change 'CMD ["bash"]' - "$BASE_IMAGE" >/dev/null
}

main() {
    if docker image inspect "$BASE_IMAGE" >/dev/null 2>&1; then
        return
    fi
    say "pulling $BASE_IMAGE"
    if timeout 300 docker pull --quiet "$BASE_IMAGE" >/dev/null 2>&1; then
        return
    fi
    make_base
}

main
