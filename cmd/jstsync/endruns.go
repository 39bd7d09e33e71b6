package main

import (
	"jstsync/internal/config"
	"jstsync/state"
)

// endRuns lets go of what the audit need not keep any longer, and gives the run
// lock back. Runs are not the worse for a trimming that did not work: the next
// one tries again.
func (p *program) endRuns(settings *config.Settings, lock *state.Lock) error {
	if err := state.Trim(settings.State, p.now(), settings.Audit.Keep, settings.Audit.MaxRuns); err != nil {
		p.log.Warn("trim the audit", "err", err)
	}
	return lock.Release()
}
