package extract

import "time"

// How the rate reacts to load.
const (
	loadCooldown   = 5 * time.Second        // one reaction to what is one burst of trouble
	loadFastEnough = 500 * time.Millisecond // latency below this is never overload
	loadRise       = 3                      // times the usual latency is overload
	loadSteps      = 20                     // good answers from standstill to the full rate
)

// load is an additive-increase, multiplicative-decrease rate: halved by signs
// of overload, raised a step by each good answer.
type load struct {
	rate, floor, ceiling float64 // calls a second
	sustained            float64 // what the minute's limit allows for long

	cutAt         time.Time
	usual, recent float64 // seconds to an answer: slow and fast average
}

func newLoad(perSecond, perMinute float64) load {
	sustained := min(perSecond, perMinute/60)
	return load{
		rate:      perSecond,
		ceiling:   perSecond,
		sustained: sustained,
		floor:     sustained / 16,
	}
}

// gap returns the least time between two starts: none at the full rate, where
// the windows alone decide.
func (l *load) gap() time.Duration {
	if l.rate >= l.ceiling {
		return 0
	}
	return time.Duration(float64(time.Second) / l.rate)
}

func (l *load) observe(now time.Time, overloaded bool, took time.Duration) {
	if overloaded || l.slower(took) {
		l.cut(now)
		return
	}
	l.rate = min(l.ceiling, l.rate+l.ceiling/loadSteps)
}

// cut halves the rate, beginning at the one the API bears for long.
func (l *load) cut(now time.Time) {
	if !l.cutAt.IsZero() && now.Sub(l.cutAt) < loadCooldown {
		return
	}
	l.cutAt = now
	l.rate = max(l.floor, min(l.rate, l.sustained)/2)
}

// slower reports whether answers take much longer than they used to.
func (l *load) slower(took time.Duration) bool {
	t := took.Seconds()
	if l.usual == 0 {
		l.usual, l.recent = t, t
		return false
	}
	l.recent += (t - l.recent) / 3
	l.usual += (t - l.usual) / 50
	return l.recent > loadFastEnough.Seconds() && l.recent > loadRise*l.usual
}
