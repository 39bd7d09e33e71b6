package doctor

import (
	"context"
	"errors"

	"jstsync/diff"
)

// Target is the server and the database that is written to.
type Target struct {
	Name    string // host:port/database; "" when the setting is missing or wrong
	Setting string // that has the address
	// Connect makes a session that knows of no table.
	Connect func(ctx context.Context) (Session, error)
}

// Pipeline is one table and what is known of it here.
type Pipeline struct {
	Name    string
	Connect func(ctx context.Context) (Session, error)
	// Position returns where the state file is, and its unfinished run or nil.
	Position func() (diff.Head, *diff.Intent, error)
}

// server looks at the server, and reports whether it answers.
func (r *round) server() bool {
	t := r.Target
	if t.Connect == nil {
		r.say(diff.Finding{
			Severity: diff.SeverityNote, ID: "mysql.connection", Subject: t.Setting,
			Evidence: diff.Say("the server was not called, for want of an address"), Remedy: diff.Say("set what is missing, and run jstsync doctor again"),
		})
		return false
	}
	s, err := t.Connect(r.ctx)
	if err != nil {
		r.say(t.failure(err))
		return false
	}
	found, err := s.ExamineServer(r.ctx)
	if err = errors.Join(err, s.Close()); err != nil {
		r.say(t.failure(err))
		return false
	}
	r.say(diff.Finding{Severity: diff.SeverityOK, ID: "mysql.connection", Subject: t.Name, Evidence: diff.Say("the server lets the user in")})
	r.all(found, nil)
	return true
}

// failure says what kept the server from being looked at.
func (t *Target) failure(err error) diff.Finding {
	f := diff.Finding{
		Severity: diff.SeverityError, ID: "mysql.session", Subject: t.Name,
		Evidence: diff.Say(err.Error()), Remedy: remedyOf(err),
	}
	switch diff.CodeOf(err) {
	case diff.CodeUnreachable:
		f.ID, f.Remedy = "mysql.connection", connecting(err, t.Setting)
	case diff.CodeTargetAccess:
		f.ID = "mysql.access"
	}
	return f
}

// pipeline looks at the tables of a pipeline.
func (r *round) pipeline(p *Pipeline) {
	mine := func(f *diff.Finding) { f.Pipeline = p.Name }
	fails := func(err error) { r.all([]diff.Finding{r.Target.failure(err)}, mine) }
	s, err := p.Connect(r.ctx)
	if err != nil {
		fails(err)
		return
	}
	defer func() { _ = s.Close() }() // nothing was written
	found, err := s.ExamineTables(r.ctx)
	if err != nil {
		fails(err)
		return
	}
	r.all(found, mine)
	switch found, err = p.standing(r.ctx, s); {
	case err == nil:
		r.all(found, mine)
	case diff.CodeOf(err) == diff.CodeTargetAccess: // which rights are lacking was told
	default:
		fails(err)
	}
}

// looks is how often a position that moves meanwhile is looked at.
const looks = 3

// standing compares the target with where the state file is. A run under way
// moves both, one after the other: what is seen counts only if the state file
// stood still.
func (p *Pipeline) standing(ctx context.Context, s Session) ([]diff.Finding, error) {
	head, in, unread := p.Position()
	for range looks {
		if unread != nil {
			return p.uncompared("the target was not compared with the state file, which cannot be read", "see to the state file first"), nil //nolint:nilerr // of the file itself more is told
		}
		found, err := s.Standing(ctx, head, in)
		if err != nil {
			return nil, err
		}
		before, run := head, runOf(in)
		if head, in, unread = p.Position(); unread == nil && head == before && runOf(in) == run {
			return found, nil
		}
	}
	return p.uncompared("runs moved the target on while it was looked at", "run jstsync doctor again when none is under way"), nil
}

func (p *Pipeline) uncompared(why, remedy string) []diff.Finding {
	return []diff.Finding{{
		Severity: diff.SeverityNote, ID: "mysql.checkpoint", Subject: p.Name, Evidence: diff.Say(why), Remedy: diff.Say(remedy),
	}}
}

func runOf(in *diff.Intent) diff.ID {
	if in == nil {
		return diff.ID{}
	}
	return in.RunID
}
