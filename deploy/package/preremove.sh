#!/bin/sh
# Before removal, not before an upgrade.
set -e
if [ "$1" = remove ] || [ "$1" = 0 ]; then
	if [ -d /run/systemd/system ]; then
		systemctl disable --now jstsync.service jstsync-sync.timer || true
	fi
fi
