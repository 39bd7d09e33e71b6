package diff

import (
	"math"
	"time"
)

// CallStats sums up the attempts at calls of one run or of many.
type CallStats struct {
	Calls   int           `json:"calls"`   // attempts
	Failed  int           `json:"failed"`  // of those
	Retries int           `json:"retries"` // attempts after a call's first
	Bytes   int64         `json:"bytes"`
	Total   time.Duration `json:"total"`
	Max     time.Duration `json:"max"`
	Times   map[int]int   `json:"times,omitempty"` // attempts by class of duration
}

// Unneeded is what an attempt's record says of an answer that was not waited for,
// since an earlier page turned out to be the last.
const Unneeded = "not needed: an earlier page was the last"

// Failed reports whether the attempt failed.
func (c *Call) Failed() bool { return c.Err != "" && c.Err != Unneeded }

// timeStep is the ratio between neighbouring classes of duration: four classes
// double it.
const timeStep = 4

// StatsOf sums up the calls.
func StatsOf(calls []Call) CallStats {
	s := CallStats{Times: map[int]int{}}
	for i := range calls {
		c := &calls[i]
		s.Calls++
		if c.Failed() {
			s.Failed++
		}
		if c.Attempt > 1 {
			s.Retries++
		}
		s.Bytes += c.Bytes
		s.Total += c.Duration
		s.Max = max(s.Max, c.Duration)
		s.Times[timeClass(c.Duration)]++
	}
	return s
}

// timeClass returns the class of a duration; the class n ends at 2^(n/4) ms.
func timeClass(d time.Duration) int {
	ms := float64(d) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	return int(math.Ceil(timeStep * math.Log2(ms)))
}

// Add adds the other's attempts.
func (s *CallStats) Add(o CallStats) {
	s.Calls += o.Calls
	s.Failed += o.Failed
	s.Retries += o.Retries
	s.Bytes += o.Bytes
	s.Total += o.Total
	s.Max = max(s.Max, o.Max)
	if s.Times == nil {
		s.Times = map[int]int{}
	}
	for class, n := range o.Times {
		s.Times[class] += n
	}
}

// Mean returns the mean duration of an attempt.
func (s *CallStats) Mean() time.Duration {
	if s.Calls == 0 {
		return 0
	}
	return s.Total / time.Duration(s.Calls)
}

// Quantile returns a duration that at least the share q of the attempts kept
// to, at most a fifth above the least such duration.
func (s *CallStats) Quantile(q float64) time.Duration {
	if s.Calls == 0 {
		return 0
	}
	need := int(math.Ceil(q * float64(s.Calls)))
	for class, seen := 0, 0; ; class++ {
		if seen += s.Times[class]; seen >= need || class > timeClass(s.Max) {
			limit := time.Duration(math.Exp2(float64(class)/timeStep) * float64(time.Millisecond))
			return min(limit, s.Max)
		}
	}
}
