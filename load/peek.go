package load

import (
	"context"
	"errors"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
)

// Checkpoint returns the pipeline's checkpoint row, or nil when there is none
// or not even its table. It writes nothing.
func (s *Session) Checkpoint(ctx context.Context) (*diff.Checkpoint, error) {
	const noSuchTable = 1146
	cp, err := s.readCheckpoint(ctx, "")
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok && e.Number == noSuchTable {
		return nil, nil //nolint:nilnil // before the first run there is nothing to find
	}
	if err != nil {
		return nil, s.target.failure("read "+checkpointTable, err)
	}
	return cp, nil
}
