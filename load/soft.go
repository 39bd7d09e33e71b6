package load

import (
	"context"
	"slices"
	"time"

	"jstsync/diff"
)

// wallTime is how a moment is written in [DeletedAt].
func wallTime(t time.Time) string { return t.In(diff.Beijing).Format("2006-01-02 15:04:05.000") }

// insertOrRevive inserts rows, but for those whose keys the table holds
// deleted softly: these return, as updates of the rows that are there.
func (w *writer) insertOrRevive(ctx context.Context, changes []diff.Change) error {
	buried, err := w.buried(ctx, changes)
	if err != nil {
		return err
	}
	var returning, fresh []diff.Change
	for _, c := range changes {
		if buried[c.Key] {
			returning = append(returning, c)
		} else {
			fresh = append(fresh, c)
		}
	}
	for part := range slices.Chunk(returning, maxUpdateRows) {
		query, args := w.stmts.revive(part)
		if err := w.send(ctx, diff.Insert, batch{changes: part, query: query, args: args}); err != nil {
			return err
		}
	}
	if fresh == nil {
		return nil
	}
	return w.send(ctx, diff.Insert, w.insert(fresh))
}

// buried returns which keys of the batch the table holds deleted softly.
func (w *writer) buried(ctx context.Context, batch []diff.Change) (map[diff.Key]bool, error) {
	keys := map[diff.Key]bool{}
	query, args := w.stmts.buried(batch)
	r := newKeyReader(w.session.target.table)
	err := w.session.each(ctx, func(scan func(...any) error) error {
		key, problem, err := r.read(scan)
		if err == nil && problem == "" {
			keys[key] = true
		}
		return err
	}, query, args...)
	return keys, err
}
