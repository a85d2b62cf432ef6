#!/usr/bin/env bash
# The health check: the VNC server greets.
exec 3<>/dev/tcp/127.0.0.1/5900 && read -r -t 2 greeting <&3 && [[ $greeting == "RFB 003.008" ]]
