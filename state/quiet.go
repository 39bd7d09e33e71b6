package state

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"jstsync/diff"
)

// quietMark begins the record of a run that found nothing to do and nothing to
// say. There is one for each poll, so it is kept short; other records are JSON.
const quietMark = 'q'

// isQuiet reports whether the totals say all there is to say of a run.
func isQuiet(r *diff.Run) bool {
	s := r.CallStats
	return r.Status == diff.Unchanged && r.Scan == diff.Complete && r.ScanNote == "" && r.Guard == "" && r.Error == "" &&
		r.Withheld == 0 && len(r.Quarantine) == 0 && len(r.Rules) == 0 && !r.Remapped && len(r.NewFields) == 0 && s.Failed == 0 && s.Retries == 0 &&
		r.Summary.Insert+r.Summary.Update+r.Summary.Delete+r.Summary.Quarantined == 0 && r.CommittedAt.IsZero() && r.Scanned.IsZero()
}

// encodeRun returns the record of a run. That of a quiet one has neither run ID
// nor fingerprint, for it changed nothing; its times are whole milliseconds,
// those of its calls whole microseconds.
func encodeRun(r *diff.Run) ([]byte, error) {
	if !isQuiet(r) {
		return json.Marshal(r)
	}
	b := []byte{quietMark}
	for _, text := range []string{r.Pipeline, r.Trigger} {
		b = binary.AppendUvarint(b, uint64(len(text)))
		b = append(b, text...)
	}
	s, c := r.Summary, r.CallStats
	for _, n := range []int64{
		r.Started.UnixMilli(), r.Ended.UnixMilli() - r.Started.UnixMilli(), int64(s.Read), int64(s.Pages), int64(s.Calls), int64(s.Unchanged),
		int64(s.Kept), int64(s.Foreign), int64(c.Calls), c.Bytes, c.Total.Microseconds(), c.Max.Microseconds(), int64(len(c.Times)),
	} {
		b = binary.AppendVarint(b, n)
	}
	for _, class := range slices.Sorted(maps.Keys(c.Times)) {
		b = binary.AppendVarint(b, int64(class))
		b = binary.AppendVarint(b, int64(c.Times[class]))
	}
	return b, nil
}

var errQuiet = errors.New("malformed record of a quiet run")

// decodeRun reads what encodeRun wrote of the run of that number.
func decodeRun(number uint64, b []byte, r *diff.Run) error {
	if len(b) == 0 || b[0] != quietMark {
		return json.Unmarshal(b, r)
	}
	d := quietReader{b: b[1:]}
	*r = diff.Run{Run: number, Status: diff.Unchanged, Scan: diff.Complete, Pipeline: d.text(), Trigger: d.text()}
	r.Started = time.UnixMilli(d.number()).UTC()
	r.Ended = r.Started.Add(time.Duration(d.number()) * time.Millisecond)
	s, c := &r.Summary, &r.CallStats
	for _, n := range []*int{&s.Read, &s.Pages, &s.Calls, &s.Unchanged, &s.Kept, &s.Foreign, &c.Calls} {
		*n = int(d.number())
	}
	c.Bytes = d.number()
	c.Total = time.Duration(d.number()) * time.Microsecond
	c.Max = time.Duration(d.number()) * time.Microsecond
	c.Times = map[int]int{}
	for n := d.number(); n > 0 && !d.failed; n-- {
		class := d.number()
		c.Times[int(class)] = int(d.number())
	}
	if d.failed || len(d.b) > 0 {
		return errQuiet
	}
	return nil
}

// quietReader reads the parts of a quiet run's record.
type quietReader struct {
	b      []byte
	failed bool
}

func (d *quietReader) number() int64 {
	n, size := binary.Varint(d.b)
	if size <= 0 {
		d.failed, d.b = true, nil
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *quietReader) text() string {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > uint64(len(d.b)-size) {
		d.failed, d.b = true, nil
		return ""
	}
	text := string(d.b[size : size+int(n)])
	d.b = d.b[size+int(n):]
	return text
}
