#!/bin/sh
# After removal. The state file and its user stay: the table cannot be kept without them.
set -e
if [ -d /run/systemd/system ]; then
	systemctl daemon-reload
fi
