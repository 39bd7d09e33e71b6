package schedule_test

import (
	"strings"
	"testing"
	"time"

	"jstsync/internal/schedule"
)

func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

func TestCron(t *testing.T) {
	for _, tt := range []struct {
		name, line, zone, from string
		want                   []string
	}{
		{
			"office hours of Shanghai", "*/30 8-9 * * *", "Asia/Shanghai", "2026-03-01T00:00:00Z",
			[]string{"2026-03-01T00:30:00Z", "2026-03-01T01:00:00Z", "2026-03-01T01:30:00Z", "2026-03-02T00:00:00Z"},
		},
		{
			"either kind of day", "0 0 1 * mon", "UTC", "2026-03-01T00:00:00Z",
			[]string{"2026-03-02T00:00:00Z", "2026-03-09T00:00:00Z"},
		},
		{
			"a leap day over a century without one", "0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z",
			[]string{"2104-02-29T00:00:00Z"},
		},
		{
			"a time that spring skips", "30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z",
			[]string{"2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"},
		},
		{
			"a steady line over the hour that spring skips", "*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z",
			[]string{"2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"},
		},
		{
			"a steady line over the hour that autumn repeats", "*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z",
			[]string{"2026-10-25T00:00:00Z", "2026-10-25T00:30:00Z", "2026-10-25T01:00:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:00:00Z"},
		},
		{
			"midnight that does not exist", "0 0 * * *", "America/Santiago", "2026-09-05T12:00:00Z",
			[]string{"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			when, err := schedule.Cron(tt.line, zone(t, tt.zone))
			if err != nil {
				t.Fatal(err)
			}
			at, err := time.Parse(time.RFC3339, tt.from)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if at = when.Next(at); at.UTC().Format(time.RFC3339) != want {
					t.Fatalf("got %s, want %s", at.UTC().Format(time.RFC3339), want)
				}
			}
		})
	}
}

// Whatever the zone does, the next time is later, in not much more than a day
// for a daily line, and never twice.
func TestCron_EveryZoneGoesOn(t *testing.T) {
	for _, name := range []string{"Europe/Berlin", "America/New_York", "America/Santiago", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia", "Asia/Shanghai"} {
		for _, line := range []string{"*/20 * * * *", "30 2 * * *", "0 0 * * *", "15 1-3 * * *", "59 23 * * *"} {
			when, err := schedule.Cron(line, zone(t, name))
			if err != nil {
				t.Fatal(err)
			}
			at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
			for end := at.AddDate(1, 0, 0); at.Before(end); {
				next := when.Next(at)
				if gap := next.Sub(at); gap <= 0 || gap > 26*time.Hour {
					t.Fatalf("%s, %s: %s follows %s", name, line, next, at)
				}
				at = next
			}
		}
	}
}

func TestCron_Refuses(t *testing.T) {
	for line, want := range map[string]string{
		"0 0 30 2 *": "names no day that exists",
		"* * * *":    "read cron line",
		"61 * * * *": "read cron line",
	} {
		if _, err := schedule.Cron(line, time.UTC); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", line, err, want)
		}
	}
}

func TestEvery(t *testing.T) {
	anchor := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	when := schedule.Every(10*time.Minute, anchor)
	for from, want := range map[time.Duration]time.Duration{
		0: 10 * time.Minute, time.Second: 10 * time.Minute, 10 * time.Minute: 20 * time.Minute,
		-time.Second: 0, -10 * time.Minute: 0, -11 * time.Minute: -10 * time.Minute,
	} {
		if got := when.Next(anchor.Add(from)).Sub(anchor); got != want {
			t.Errorf("after %s: got %s, want %s", from, got, want)
		}
	}
}
