#!/usr/bin/env bash
# A desktop over VNC (5900) and VNC in a WebSocket (6080), with one program on it.
#
#   desktop.sh PROGRAM [ARGUMENT…]
#
# When a part of the desktop ends, all of it ends, and the engine starts it again: what a viewer sees is whole or
# absent. The program alone may be closed: it is opened again.
set -euo pipefail

export DISPLAY=:0
GEOMETRY=${GEOMETRY:-1280x800}

# A killed predecessor in the same container leaves these, and its pid is in use again.
rm -f /tmp/.X0-lock /tmp/.X11-unix/X0

# Every start begins with the home that the image was made with, so that restarting is cleaning.
find "$HOME" -mindepth 1 -delete
cp -a /etc/skel/. "$HOME"
cd "$HOME"

# No password: the network that the desktop stands on is private. No blacklist: it takes health probes, which read the
# greeting and go, for guesses at a password.
Xtigervnc "$DISPLAY" -geometry "$GEOMETRY" -depth 24 -rfbport 5900 -localhost=0 -SecurityTypes None -UseBlacklist=0 \
    -AlwaysShared -nolisten tcp -Log '*:stderr:0' &

until [[ -S /tmp/.X11-unix/X0 ]]; do
    kill -0 $! || exit 1
    sleep 0.05
done

openbox &
websockify 6080 127.0.0.1:5900 >/dev/null &

keep_open() {
    while true; do
        "$@" || true
        sleep 0.5
    done
}
keep_open "$@" &

trap 'exit 0' TERM INT
wait -n
