package load

import (
	"context"

	"jstsync/diff"
)

// Checkpoint returns the pipeline's checkpoint row, or nil when there is none
// or not even its table. It writes nothing.
func (s *Session) Checkpoint(ctx context.Context) (*diff.Checkpoint, error) {
	cp, err := s.readCheckpoint(ctx, "")
	if number(err) == erNoSuchTable {
		return nil, nil //nolint:nilnil // before the first run there is nothing to find
	}
	if err != nil {
		return nil, s.target.failure("read "+checkpointTable, err)
	}
	return cp, nil
}
