package main

import (
	"sync"
	"time"

	"jstsync/extract"
	"jstsync/internal/config"
)

// pacers are those of the whole process, so that the calls of one run count
// towards the limits of the next.
type pacers struct {
	mu  sync.Mutex
	all map[pacing]*extract.Pacer
}

type pacing struct {
	app
	config.Rate
}

// of returns the pacer of an app at a rate.
func (p *pacers) of(of app, rate config.Rate, now func() time.Time) *extract.Pacer {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all == nil {
		p.all = map[pacing]*extract.Pacer{}
	}
	key := pacing{of, rate}
	if p.all[key] == nil {
		p.all[key] = extract.NewPacer(extract.PacerOptions{PerSecond: rate.PerSecond, PerMinute: rate.PerMinute, Now: now})
	}
	return p.all[key]
}

// used returns the greatest share of its calls a minute that any app has used.
func (p *pacers) used() (most float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pacer := range p.all {
		most = max(most, pacer.Used())
	}
	return most
}
