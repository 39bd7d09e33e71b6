package main

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// when is a moment as people write it: a run, or a time.
type when struct {
	run uint64 // 0 for a time
	at  time.Time
}

// parseWhen reads a run number, a time, or a phrase such as "2 days ago". A day
// stands for its last moment where it is an end, else for its first. Times
// without a zone are local.
func parseWhen(flag, text string, now time.Time, end bool) (when, error) {
	s := strings.TrimSpace(text)
	if run, err := strconv.ParseUint(s, 10, 64); err == nil && run > 0 {
		return when{run: run}, nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return when{at: t}, nil
		}
	}
	if t, ok := parseDay(s, now); ok {
		if end {
			t = t.AddDate(0, 0, 1).Add(-1)
		}
		return when{at: t}, nil
	}
	if t, ok := parseAgo(s, now); ok {
		return when{at: t}, nil
	}
	return when{}, usage("--%s %q is neither a run, nor a time such as 2026-01-31 or 2026-01-31T08:00:00+08:00, nor a phrase such as \"2 days ago\"", flag, text)
}

// parseDay reads a date, today, yesterday, or the name of a day of the last
// week, as its first moment.
func parseDay(s string, now time.Time) (time.Time, bool) {
	if t, err := time.ParseInLocation(time.DateOnly, s, now.Location()); err == nil {
		return t, true
	}
	midnight := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, now.Location())
	switch name := strings.ToLower(s); name {
	case "today", "今天":
		return midnight, true
	case "yesterday", "昨天":
		return midnight.AddDate(0, 0, -1), true
	default:
		for back := 1; back <= 7; back++ {
			day := midnight.AddDate(0, 0, -back)
			if strings.ToLower(day.Weekday().String()) == name {
				return day, true
			}
		}
		return time.Time{}, false
	}
}

// parseAgo reads now, or a number of units ago.
func parseAgo(s string, now time.Time) (time.Time, bool) {
	if s = strings.ToLower(s); s == "now" || s == "现在" {
		return now, true
	}
	m := regexp.MustCompile(`^(\d{1,6}) *([a-z]+|[\p{Han}]+?) *(ago|前)$`).FindStringSubmatch(s)
	if m == nil {
		return time.Time{}, false
	}
	n, _ := strconv.Atoi(m[1])
	switch strings.TrimSuffix(m[2], "s") {
	case "", "second", "sec", "秒": // "" is a bare s
		return now.Add(-time.Duration(n) * time.Second), true
	case "minute", "min", "m", "分钟":
		return now.Add(-time.Duration(n) * time.Minute), true
	case "hour", "h", "小时":
		return now.Add(-time.Duration(n) * time.Hour), true
	case "day", "d", "天":
		return now.AddDate(0, 0, -n), true
	case "week", "w", "周":
		return now.AddDate(0, 0, -7*n), true
	case "month", "个月":
		return now.AddDate(0, -n, 0), true
	case "year", "y", "年":
		return now.AddDate(-n, 0, 0), true
	default:
		return time.Time{}, false
	}
}
