#!/bin/sh
# After installation or an upgrade. The service is enabled by whoever wants it.
set -e
if ! getent passwd jstsync >/dev/null; then
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers jstsync.conf
	else
		useradd --system --user-group --home-dir /var/lib/jstsync --no-create-home --shell /usr/sbin/nologin --comment jstsync jstsync
	fi
fi
install -d -o jstsync -g jstsync -m 0700 /var/lib/jstsync
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
	systemctl try-restart jstsync.service
fi
