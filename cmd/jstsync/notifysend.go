package main

import (
	"context"
	"errors"
	"sync"
	"time"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/config"
	"jstsync/internal/lang"
)

// send tells every channel what it is to be told, and remembers it. What could
// not be sent is tried again the next time.
func (n *notifier) send(ctx context.Context) {
	if n == nil {
		return
	}
	if n.waiting.Swap(true) {
		return // whoever waits sends it
	}
	n.sending.Lock()
	defer n.sending.Unlock()
	n.waiting.Store(false)
	ctx, cancel := context.WithTimeout(ctx, n.limit)
	defer cancel()
	n.mu.Lock()
	channels, settings := n.channels, n.settings
	n.mu.Unlock()
	var all sync.WaitGroup
	for _, c := range channels {
		n.mu.Lock()
		notices := n.book.For(c.Name)
		n.mu.Unlock()
		if len(notices) == 0 {
			continue
		}
		all.Go(func() {
			err := n.sender(settings).Send(ctx, c, n.message(settings, notices))
			if n.meter != nil {
				n.meter.Alerted(c.Name, err == nil)
			}
			if err != nil {
				n.log.Warn("an alert could not be sent; it is tried again after the next run", "channel", c.Name, "err", err, "remedy", remedyOf(err))
				return
			}
			n.mu.Lock()
			n.book.Sent(c.Name, notices)
			n.dirty = true
			n.mu.Unlock()
		})
	}
	all.Wait()
	n.keep()
}

func remedyOf(err error) string {
	if e, ok := errors.AsType[*diff.Error](err); ok {
		return e.Remedy
	}
	return ""
}

// sender returns what sends messages by the settings.
func (p *program) sender(settings *config.Settings) *alert.Sender {
	return &alert.Sender{
		Client: alert.NewClient(), Now: p.now, Language: lang.Language(settings.Serve.Language),
		Wait: func(ctx context.Context, d time.Duration) error {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		},
	}
}

// message says notices as the settings have it.
func (p *program) message(settings *config.Settings, notices []alert.Notice) *alert.Message {
	return alert.NewMessage(notices, lang.Language(settings.Serve.Language), p.zone(settings), p.now())
}

// zone is that of times in messages.
func (p *program) zone(settings *config.Settings) *time.Location {
	zone, err := time.LoadLocation(settings.Serve.TimeZone)
	if err != nil {
		zone = time.UTC // never: the settings were checked
	}
	return zone
}
