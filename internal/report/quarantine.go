package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"jstsync/diff"
)

// Quarantine writes a table of the records that are set aside.
func (t Text) Quarantine(out io.Writer, list []diff.SetAside) error {
	if len(list) == 0 {
		_, err := io.WriteString(out, t.Lang.Text("nothing is set aside")+"\n")
		return err
	}
	rows := [][]string{t.heads("KEY", "SINCE", "RUN", "REASON")}
	for _, q := range list {
		since := t.moment(q.Since)
		if q.AtLeast {
			since = t.Lang.Sprintf("%s or earlier", since)
		}
		rows = append(rows, []string{plain(cmp.Or(q.Key, t.Lang.Text("(no key)"))), since, strconv.FormatUint(q.Run, 10), plain(t.Lang.Sentence(q.Reason))})
	}
	return table(out, rows)
}

// QuarantineJSON writes one object a record, one a line.
func QuarantineJSON(out io.Writer, pipeline string, list []diff.SetAside) error {
	w := newWriter(out)
	for _, q := range list {
		w.token(jsontext.BeginObject)
		w.text("pipeline", pipeline)
		w.text("key", q.Key)
		w.text("reason", q.Reason)
		w.member("run", q.Run)
		w.text("since", q.Since.UTC().Format(millis))
		w.member("at_least", q.AtLeast)
		w.token(jsontext.EndObject)
	}
	if w.err != nil {
		return fmt.Errorf("write JSON: %w", w.err)
	}
	return nil
}

// QuarantineCSV writes one row a record.
func QuarantineCSV(out io.Writer, pipeline string, list []diff.SetAside, excel bool) error {
	w := newCSV(out, excel)
	err := w.heading("pipeline", "key", "reason", "run", "since", "at_least")
	for _, q := range list {
		err = cmp.Or(err, w.row(pipeline, q.Key, q.Reason, strconv.FormatUint(q.Run, 10), moment(q.Since), strconv.FormatBool(q.AtLeast)))
	}
	return cmp.Or(err, w.close())
}
