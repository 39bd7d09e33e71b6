package extract

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Witness asks for the records with the given keys, in batches of at most 99
// and never more than fill a page, each beside the control: a key that exists.
//
// A batch counts only if the control is answered, nothing is answered that was
// not asked for, every record's key can be read, and no further page is
// promised. Then what was answered is Alive and the other keys are Gone. The
// keys of a batch that does not count are Withheld, and so are all keys when
// there is no control (the zero Key). Reason is that of the first such batch.
// The control's own record is not among Alive unless its key was asked for.
//
// The error wraps ctx's or is a [diff.Error]: a call that failed for good, or
// a key that is not a single integer.
func (s *Shops) Witness(ctx context.Context, keys []diff.Key, control diff.Key) (diff.Witness, error) {
	var w diff.Witness
	if len(keys) == 0 {
		return w, nil
	}
	if control == "" {
		return diff.Witness{Withheld: keys, Reason: "there is no record to ask beside"}, nil
	}
	if s.o.ID == nil {
		return w, setting("key", "cannot be read from records: Options.ID is nil")
	}
	for len(keys) > 0 {
		n := min(s.idsPage()-1, len(keys))
		if err := s.witnessBatch(ctx, keys[:n:n], control, &w); err != nil {
			return w, err
		}
		keys = keys[n:]
	}
	return w, nil
}

// witnessBatch asks for one batch and adds what it shows to w.
func (s *Shops) witnessBatch(ctx context.Context, batch []diff.Key, control diff.Key, w *diff.Witness) error {
	biz, err := s.idsBiz(batch, control)
	if err != nil {
		return err
	}
	a, err := s.call(ctx, request{biz: biz})
	if err != nil {
		return err
	}
	if err := fault.Hit(fault.WitnessAsked); err != nil {
		return err
	}
	alive, seen, reason := s.readBatch(a, batch, control)
	if reason != "" {
		w.Withheld = append(w.Withheld, batch...)
		if w.Reason == "" {
			w.Reason = reason
		}
		return nil
	}
	w.Alive = append(w.Alive, alive...)
	for _, k := range batch {
		if !seen[k] {
			w.Gone = append(w.Gone, k)
		}
	}
	return nil
}

// readBatch returns the records of the batch that were answered and the keys
// that were, or why the answer does not count.
func (s *Shops) readBatch(a *answer, batch []diff.Key, control diff.Key) (alive []diff.Record, seen map[diff.Key]bool, reason string) {
	asked := make(map[diff.Key]bool, len(batch))
	for _, k := range batch {
		asked[k] = true
	}
	all := len(asked)
	if !asked[control] {
		all++
	}
	seen = make(map[diff.Key]bool, len(batch)+1)
	for i := range a.rows {
		r := &a.rows[i]
		k, err := s.o.ID(r)
		if err != nil {
			return nil, nil, fmt.Sprintf("a record answered by id has no readable key: %v", err)
		}
		if !asked[k] && k != control {
			return nil, nil, fmt.Sprintf("shop %s was answered and not asked for", k)
		}
		seen[k] = true
		if asked[k] {
			alive = append(alive, *r)
		}
	}
	switch {
	case !seen[control]:
		return nil, nil, fmt.Sprintf("shop %s, which exists, was asked for and not answered", control)
	case a.more(s.idsPage()) && (a.hasNext != nil || len(seen) < all):
		// A page that is full of all that was asked for promises nothing.
		return nil, nil, "the answer by id promises another page"
	}
	return alive, seen, ""
}

// idsPage returns how many records a call by id asks for at most.
func (s *Shops) idsPage() int { return max(2, s.o.PageSize) }

// idsBiz returns the business object that asks for the batch and the control.
func (s *Shops) idsBiz(batch []diff.Key, control diff.Key) (string, error) {
	var b strings.Builder
	b.WriteString(`{"page_index":1,"page_size":`)
	b.WriteString(strconv.Itoa(s.idsPage()))
	b.WriteString(`,"shop_ids":[`)
	for _, k := range batch {
		id, err := shopID(k)
		if err != nil {
			return "", err
		}
		b.WriteString(strconv.FormatInt(id, 10))
		b.WriteByte(',')
	}
	id, err := shopID(control)
	if err != nil {
		return "", err
	}
	b.WriteString(strconv.FormatInt(id, 10))
	b.WriteString(`]}`)
	return b.String(), nil
}

func shopID(k diff.Key) (int64, error) {
	parts, err := k.Parts()
	if err == nil && (len(parts) != 1 || parts[0].Kind() != diff.Int) {
		err = errors.New("not a single integer")
	}
	if err != nil {
		return 0, &diff.Error{
			Code:    diff.CodeConfig,
			Message: fmt.Sprintf("key %s is not a shop_id", k),
			Remedy:  "make shop_id, a BIGINT, the key of the mapping",
			Err:     err,
		}
	}
	return parts[0].Int(), nil
}
