package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
	"jstsync/internal/lang"
	"jstsync/internal/schedule"
	"jstsync/internal/serve"
)

// commitGrace is how long a commit that is under way may go on when serve is
// told to end. A run that has not come that far is ended at once.
const commitGrace = time.Minute

func (p *program) serveCommand() *cli.Command {
	return &cli.Command{
		Name:  "serve",
		Usage: "run every pipeline on schedule, with a console and metrics",
		Description: "Runs each pipeline at once and then by its every or cron, one at a time, and\n" +
			"less often while it keeps failing. Answers on serve.listen, this machine only\n" +
			"unless told otherwise: a console for browsers at /, in serve.language;\n" +
			"/metrics for Prometheus, /healthz, /readyz; POST /pause and /resume keep\n" +
			"pipelines from being run (?pipeline=NAME for one). With serve.token set, the\n" +
			"console asks for it, and Authorization: Bearer TOKEN is asked for, but by\n" +
			"/healthz and /readyz. It does not encrypt. All other commands work meanwhile.\n\n" +
			"SIGTERM ends it; a commit that has begun is finished first. SIGHUP reads the\n" +
			"configuration again, and keeps the old one when the new one has a mistake.\n\n" +
			"Example: jstsync serve --log-format json\n" +
			"Example: curl -X POST http://127.0.0.1:8321/pause\n\n" +
			"Exit codes: 0 ended by SIGTERM, 1 failed, 64 wrong usage, 78 configuration\n" +
			"error, 130 interrupted.",
		Action: p.serve,
	}
}

func (p *program) serve(c *cli.Context) error {
	if err := noArguments(c, "serve"); err != nil {
		return err
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP) // from now on it no longer ends the process
	defer signal.Stop(hangups)
	read := func() (*config.Settings, error) { return p.serveSettings(c) }
	settings, err := read()
	if err != nil {
		return err
	}
	l, err := listen(c.Context, settings.Serve.Listen)
	if err != nil {
		return err
	}
	p.several = true
	scheduler, m := schedule.New(schedule.Options{Now: p.now, Rand: rand.Float64}), p.newMeter(settings, true)
	server, pages := serve.New(scheduler, m.Handler(), p.log), p.newPages(settings, scheduler)
	server.SetPages(pages.console(c.Context, server.Refused))
	return (&poller{
		program: p, read: read, hangups: hangups, settings: settings, scheduler: scheduler, meter: m,
		server: server, pages: pages,
	}).run(c.Context, l)
}

// serveSettings reads settings with which every pipeline can be run.
func (p *program) serveSettings(c *cli.Context) (*config.Settings, error) {
	settings, err := p.settings(c, config.NeedServe)
	if err != nil {
		return nil, err
	}
	pipelines, err := choose(settings, nil)
	if err == nil {
		err = settings.RequireFor(pipelines, config.NeedState, config.NeedApp, config.NeedTarget)
	}
	if err != nil {
		return nil, err
	}
	w, err := p.wire(settings)
	if err != nil {
		return nil, err
	}
	defer w.close()
	for i := range pipelines {
		if err := w.check(&pipelines[i]); err != nil {
			return nil, err
		}
	}
	return settings, nil
}

// check makes sure that a pipeline can be made ready, and leaves nothing behind.
func (w *wiring) check(pl *config.Pipeline) error {
	if err := w.needToken(w.accountOf(pl)); err != nil {
		return err
	}
	mapper, err := mapperOf(pl)
	if err != nil {
		return err
	}
	_, err = w.open(pl, mapper.Table())
	return err
}

func listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, &diff.Error{
			Code: diff.CodeFailed, Message: "listen on " + address, Err: err,
			Remedy: "end what listens there, or set serve.listen",
		}
	}
	return l, nil
}

// poller is a process that serves.
type poller struct {
	*program
	read      func() (*config.Settings, error)
	hangups   <-chan os.Signal
	settings  *config.Settings // the last that were right
	scheduler *schedule.Scheduler
	meter     *meter
	notifier  *notifier      // nil where no channel is configured
	alerts    sync.WaitGroup // messages under way
	server    *serve.Server
	pages     *pages
	end       context.CancelCauseFunc // ends the process, and says why
}

// run runs pipelines and answers requests until ctx ends, which is no error
// when SIGTERM ended it.
func (p *poller) run(ctx context.Context, l net.Listener) error {
	ctx, p.end = context.WithCancelCause(ctx)
	defer p.end(nil)
	p.server.SetToken(p.settings.Serve.Token.Reveal())
	served := make(chan struct{})
	go func() {
		defer close(served)
		if err := p.server.Serve(ctx, l); err != nil {
			p.end(fmt.Errorf("answer requests on %s: %w", l.Addr(), err))
		}
	}()
	p.log.Info("serving", "listen", l.Addr().String())
	if !serve.Loopback(p.settings.Serve.Listen) {
		p.log.Warn("what is served can be reached from other machines and is not encrypted: put a server that speaks TLS before it, or the token can be read on the way")
	}
	for ctx.Err() == nil {
		p.generation(ctx)
	}
	<-served
	p.lastAlerts()
	cause := context.Cause(ctx)
	if s, ok := errors.AsType[*signalError](cause); ok && s.signal == syscall.SIGTERM {
		p.log.Info("ended", "err", cause)
		return nil
	}
	return cause
}

// paused reports whether a person paused the pipeline.
func (p *poller) paused(pipeline string) bool {
	return slices.ContainsFunc(p.scheduler.Jobs(), func(s schedule.Status) bool { return s.Name == pipeline && s.Paused })
}

// alertGrace is how long messages that are under way may take when serve is told
// to end. What is not sent by then is sent by the next start.
const alertGrace = 3 * time.Second

func (p *poller) lastAlerts() {
	sent := make(chan struct{})
	go func() {
		p.alerts.Wait()
		close(sent)
	}()
	select {
	case <-sent:
	case <-time.After(alertGrace):
	}
	if p.notifier != nil {
		p.notifier.keep()
	}
}

// generation runs pipelines by the present settings, until ctx ends or there
// are new ones. It returns when nothing is running any more.
func (p *poller) generation(ctx context.Context) {
	p.meter.expect(p.settings)
	p.pages.use(p.settings)
	p.server.SetToken(p.settings.Serve.Token.Reveal())
	waiting, stop := context.WithCancel(ctx)
	defer stop()
	done := make(chan struct{})
	if p.notifier == nil {
		p.notifier = p.newNotifier(p.settings, p.meter)
	}
	n := p.notifier
	n.configure(p.settings)
	jobs := p.jobs(ctx)
	p.alerts.Go(func() { n.watch(waiting, jobs, p.paused) })
	go func() {
		p.scheduler.Run(waiting, jobs...)
		close(done)
	}()
	for reloaded := false; !reloaded; {
		select {
		case <-done: // ctx has ended, and the last run too
			return
		case <-p.hangups:
			reloaded = p.reload()
		}
	}
	stop()
	<-done
}

// reload reads the settings again. It reports whether they are in effect.
func (p *poller) reload() bool {
	settings, err := p.read()
	if err == nil {
		err = p.movable(settings)
	}
	if err != nil {
		for _, line := range lines(lang.English, err) {
			p.log.Error("the configuration is not reloaded, and the old one stays in effect", "err", line)
		}
		return false
	}
	p.settings = settings
	p.log.Info("the configuration is reloaded")
	return true
}

// movable refuses changes that take a new process.
func (p *poller) movable(next *config.Settings) error {
	var changed []string
	if next.State != p.settings.State {
		changed = append(changed, "state")
	}
	if next.Serve.Listen != p.settings.Serve.Listen {
		changed = append(changed, "serve.listen")
	}
	if len(changed) > 0 {
		return fmt.Errorf("%s changed, which takes a restart", strings.Join(changed, " and "))
	}
	return nil
}
