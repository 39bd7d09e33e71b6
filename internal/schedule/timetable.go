package schedule

import (
	"fmt"
	"time"

	cron "github.com/netresearch/go-cron"
)

// Timetable says when a job is due.
type Timetable interface {
	// Next returns the first due time after t.
	Next(t time.Time) time.Time

	// Period returns the least time between two due times.
	Period() time.Duration

	// Jitter returns by how much at most a run may be put off, so that not all
	// start at once; it is less than the period.
	Jitter() time.Duration
}

// maxJitter bounds the jitter of rare runs.
const maxJitter = 30 * time.Second

type every struct {
	period time.Duration
	anchor time.Time
}

// Every is due at the anchor and each multiple of the period from it. With an
// anchor and times of the system clock it counts by the monotonic clock, which
// nobody sets.
func Every(period time.Duration, anchor time.Time) Timetable { return every{period, anchor} }

func (e every) Next(t time.Time) time.Time {
	since := t.Sub(e.anchor)
	gone := since / e.period
	if since < 0 && since%e.period != 0 {
		gone-- // division rounds towards zero
	}
	return e.anchor.Add((gone + 1) * e.period)
}

func (e every) Period() time.Duration { return e.period }

func (e every) Jitter() time.Duration { return min(e.period/10, maxJitter) }

type cronLine struct {
	schedule cron.Schedule
	zone     *time.Location
}

// searchYears is how far ahead a due time may be: 29 February may take eight
// years to come.
const searchYears = 10

// Cron is due when the five fields minute, hour, day of month, month and day of
// week match the wall clock of the zone; of the two kinds of days one match is
// enough where both are restricted. A time that the start of daylight saving
// skips is due when the clocks are put forward. The hour that its end repeats is
// passed through twice, and so are the due times in it.
func Cron(line string, zone *time.Location) (Timetable, error) {
	parser, err := cron.TryNewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow | cron.DowOrDom)
	if err != nil {
		return nil, fmt.Errorf("make a parser of cron lines: %w", err)
	}
	schedule, err := parser.WithMaxSearchYears(searchYears).Parse(line)
	if err != nil {
		return nil, fmt.Errorf("read cron line %q: %w", line, err)
	}
	c := cronLine{schedule, zone}
	if c.Next(time.Unix(0, 0)).IsZero() {
		return nil, fmt.Errorf("cron line %q names no day that exists", line)
	}
	return c, nil
}

// Next goes through the spans of time in which the zone's offset stays the same,
// and asks for each by its offset alone: what the clocks do at either end is
// decided here.
func (c cronLine) Next(t time.Time) time.Time {
	t = t.Round(0).In(c.zone) // by the wall clock, which a monotonic reading would hide
	for at := t; ; {
		_, offset := at.Zone()
		next := c.schedule.Next(t.In(time.FixedZone("", offset)))
		_, end := at.ZoneBounds()
		if end.IsZero() || next.IsZero() || next.Before(end) {
			return next
		}
		_, after := end.Zone()
		if skipped := time.Duration(after-offset) * time.Second; next.Before(end.Add(skipped)) {
			return end
		}
		at, t = end, end.Add(-1) // what is due at the end itself counts
	}
}

func (c cronLine) Period() time.Duration { return time.Minute }

func (c cronLine) Jitter() time.Duration { return 0 }
