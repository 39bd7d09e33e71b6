// Package doctor looks over all that runs need: settings, state file, accounts,
// the MySQL server and the tables on it.
//
// [Checkup] says what there is to look at; [Checkup.Run] decides the order, what
// is of no use to try once something before it failed, and what an answer
// means. What is seen is a [diff.Finding] each, and each that is not as it
// should be names its remedy.
//
// It goes on as far as it can: what is missing or out of reach is a finding and
// hides nothing that can be told without it. It writes nothing anywhere and
// renews no token, as far as what it is given does not.
//
// What it does not: it reads no record and no row, so that it says nothing of
// drift, and a look is of one moment.
package doctor

import (
	"context"
	"time"

	"jstsync/diff"
)

// Checkup is what is looked at. What is nil or empty is left out.
type Checkup struct {
	Settings []diff.Finding        // what is wrong with the configuration
	Sign     func() error          // holds the signer against the vendor's own example
	State    func() []diff.Finding // looks at the state file
	Sources  []Source
	Target   *Target
	// Pipelines are looked at when the server of Target answers.
	Pipelines []Pipeline

	TokenDays int // days before an access token ends when to tell
	Now       time.Time
}

// Session is one connection to the target of a pipeline. Errors are those of
// the server and the connection.
type Session interface {
	ExamineServer(ctx context.Context) ([]diff.Finding, error)
	ExamineTables(ctx context.Context) ([]diff.Finding, error)
	// Standing compares the checkpoint row with the state file's head and its
	// unfinished run, which may be nil.
	Standing(ctx context.Context, head diff.Head, in *diff.Intent) ([]diff.Finding, error)
	Close() error
}

// Run looks at everything and tells of each finding as soon as it is there. The
// error is that of tell, or ctx's.
func (c *Checkup) Run(ctx context.Context, tell func(diff.Finding) error) error {
	r := &round{Checkup: c, ctx: ctx, tell: tell}
	r.all(c.Settings, nil)
	if c.State != nil {
		r.all(c.State(), nil)
	}
	if c.Sign != nil {
		r.sign()
	}
	for i := range c.Sources {
		if ctx.Err() == nil && r.err == nil {
			r.source(&c.Sources[i])
		}
	}
	if c.Target != nil && ctx.Err() == nil && r.err == nil && r.server() {
		for i := range c.Pipelines {
			if ctx.Err() == nil && r.err == nil {
				r.pipeline(&c.Pipelines[i])
			}
		}
	}
	if r.err != nil {
		return r.err
	}
	return context.Cause(ctx)
}

// round is one run of a checkup.
type round struct {
	*Checkup
	ctx  context.Context
	tell func(diff.Finding) error
	err  error // of tell
}

// say tells of one finding. What a cancelled look found out is not told.
func (r *round) say(f diff.Finding) {
	if r.err == nil && r.ctx.Err() == nil {
		r.err = r.tell(f)
	}
}

// all tells of findings after they were marked as whose they are.
func (r *round) all(found []diff.Finding, mark func(*diff.Finding)) {
	for _, f := range found {
		if mark != nil {
			mark(&f)
		}
		r.say(f)
	}
}

// sign tells whether this build signs as the vendor does.
func (r *round) sign() {
	f := diff.Finding{
		Severity: diff.SeverityOK, ID: "api.signature", Subject: "jstsync",
		Evidence: diff.Say("signs the vendor's published example as the vendor does"),
	}
	if err := r.Sign(); err != nil {
		f.Severity, f.Evidence = diff.SeverityError, diff.Say(err.Error())
		f.Remedy = diff.Say("this build is broken: install jstsync again")
	}
	r.say(f)
}
