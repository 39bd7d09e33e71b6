package consoletest

import (
	"testing"
	"time"

	"jstsync/diff"
)

// Month is a world with two pipelines and what a month brings: one in step, with
// renames, a few failures, and records set aside; one that is held.
func Month(tb testing.TB) *World {
	tb.Helper()
	w := New(tb)
	w.Add("south_shops")
	w.Settings.Pipelines[0].Budget, w.Settings.Pipelines[1].Budget = "north", "south"
	at := w.Now.Add(-30 * 24 * time.Hour)
	w.Load("shops", 1204, at)
	w.Load("south_shops", 318, at.Add(time.Minute))
	for i := 0; at.Before(w.Now.Add(-10 * time.Minute)); i++ {
		step := 3 * time.Hour
		if w.Now.Sub(at) <= 27*time.Hour {
			step = 30 * time.Minute
		}
		at = at.Add(step)
		w.step(i, at)
	}
	w.SetsAside("shops", w.Now.Add(-3*time.Minute), setAside()...)
	w.Holds("south_shops", w.Now.Add(-2*time.Minute), 203)
	w.Aside = []diff.SetAside{
		{Quarantined: setAside()[0], Run: 240, Since: w.Now.Add(-26 * time.Hour)},
		{Quarantined: setAside()[1], Run: 12, Since: w.Now.Add(-29 * 24 * time.Hour), AtLeast: true},
	}
	return w
}

func setAside() []diff.Quarantined {
	return []diff.Quarantined{
		{Key: "10394810", Reason: `member created: "2024-02-30" is not a date (column created DATETIME(3))`},
		{Reason: `unreadable key: member shop_id: "abc" is not an integer (column shop_id BIGINT)`},
	}
}

// step is one time at which both pipelines run.
func (w *World) step(i int, at time.Time) {
	w.tb.Helper()
	switch {
	case i%41 == 40:
		w.Fails("shops", at)
	case i%5 == 2:
		w.Rename("shops", 1+i%7, at, "晴川食品旗舰店🎉", "远山亲子工厂", "木与石家居")
	case i%13 == 7:
		w.Remove("shops", 1, at)
	case i%9 == 4:
		w.Commit("shops", at, Change{After: w.Row(99_990_000-int64(i), "新岸户外专营店")})
	default:
		w.Quiet("shops", at)
	}
	if i%17 == 3 {
		w.Rename("south_shops", 2, at.Add(10*time.Second), "白鹭文具")
	} else {
		w.Quiet("south_shops", at.Add(10*time.Second))
	}
}
