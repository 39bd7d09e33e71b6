// Package deploy is what jstsync is installed and watched with: units of
// systemd, a Dockerfile, a manifest for Kubernetes, a crontab, alert rules and a
// dashboard. It has no code; its tests hold the files against the program, so
// that no file names a command, a flag, a metric or a label that is not there.
package deploy
