package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/report"
	"jstsync/state"
)

// run shows everything, from the first load to the audit.
func run(ctx context.Context, out io.Writer, text report.Text, now func() time.Time) (err error) {
	w, err := openWorld(out, text, now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, w.close()) }()
	return w.tell(ctx)
}

// tell goes through the steps and ends at the first that is not as it says.
func (w *world) tell(ctx context.Context) error {
	w.say("jstsync between a make-believe Jushuitan (聚水潭) of %d shops and a\n"+
		"MySQL-compatible engine held in memory. Each line with a $ is the command whose\n"+
		"code runs there, followed by what it prints.", shopCount)
	for _, step := range []func(context.Context) error{
		w.firstLoad, w.quietPoll, w.editsAndDryRun, w.massDelete, w.afterwards, w.readBack, w.runs, w.audit,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	w.goodbye()
	return nil
}

// say writes a paragraph.
func (w *world) say(format string, args ...any) { fmt.Fprintf(w.out, format+"\n", args...) }

// heading begins the next step.
func (w *world) heading(title string) {
	w.steps++
	line := fmt.Sprintf("%d. %s", w.steps, title)
	w.say("\n%s\n%s", line, strings.Repeat("=", len([]rune(line))))
}

// command writes a command line; what it prints follows.
func (w *world) command(line string) { w.say("\n$ %s", line) }

// expect makes sure that a plan is what the story says of it.
func expect(plan *diff.Plan, status diff.Status, inserts, updates, deletes int) error {
	s := plan.Summary
	if plan.Status != status || s.Insert != inserts || s.Update != updates || s.Delete != deletes {
		return fmt.Errorf("the run ended %s with %d inserts, %d updates, %d deletes; the story wants %s with %d, %d, %d",
			plan.Status, s.Insert, s.Update, s.Delete, status, inserts, updates, deletes)
	}
	return nil
}

func (w *world) firstLoad(ctx context.Context) error {
	w.heading("The first load")
	w.say("There is no table yet. jstsync reads every page, creates the table, and inserts\n" +
		"the shops in one transaction.")
	w.command("jstsync sync")
	plan, err := w.sync(ctx)
	if err != nil {
		return err
	}
	return expect(plan, diff.Committed, shopCount, 0, 0)
}

func (w *world) quietPoll(ctx context.Context) error {
	w.heading("A poll when nothing changed")
	before := w.target.connections()
	w.command("jstsync sync")
	plan, err := w.sync(ctx)
	if err != nil {
		return err
	}
	opened := w.target.connections() - before
	w.say("\nAPI calls: %d. MySQL connections opened: %d.", plan.Summary.Calls, opened)
	w.say("What the API answered equals the snapshot in the state file: MySQL is left alone.")
	if opened != 0 {
		return errors.New("the quiet poll connected to MySQL")
	}
	return expect(plan, diff.Unchanged, 0, 0, 0)
}

func (w *world) editsAndDryRun(ctx context.Context) error {
	w.heading("Somebody works in the ERP")
	w.edit()
	w.heading("The dry run")
	connections := w.target.connections()
	before, err := os.ReadFile(w.stateFile())
	if err != nil {
		return err
	}
	w.command("jstsync plan")
	dry, err := w.plan(ctx)
	if err != nil {
		return err
	}
	after, err := os.ReadFile(w.stateFile())
	if err != nil {
		return err
	}
	if !bytes.Equal(before, after) || w.target.connections() != connections {
		return errors.New("the dry run touched the state file or MySQL")
	}
	w.say("\nNothing was written: the state file is the same byte for byte, and MySQL was\n" +
		"not connected to.")
	if err := expect(dry, diff.Planned, 1, 3, 1); err != nil {
		return err
	}
	return w.syncAsPlanned(ctx, dry)
}

func (w *world) syncAsPlanned(ctx context.Context, dry *diff.Plan) error {
	w.heading("The sync")
	w.say("The shop that is gone is first asked for by its id, beside one that exists: that\n" +
		"the pages lack it is not reason enough to delete.")
	w.command("jstsync sync")
	plan, err := w.sync(ctx)
	if err != nil {
		return err
	}
	if plan.Digest != dry.Digest {
		return errors.New("the sync wrote something else than the dry run showed")
	}
	w.say("\nThis is what the dry run showed, to the byte: both have digest %.12s….", plan.Digest)
	return expect(plan, diff.Committed, 1, 3, 1)
}

// edit changes three shops at the source, adds one and removes one.
func (w *world) edit() {
	shops := w.source.Shops()
	renamed, moved, renewed, closed := shops[3].ID, shops[7].ID, shops[12].ID, shops[20].ID
	opened := shops[len(shops)-1].ID + 57
	w.source.Put(renamed, map[string]any{"shop_name": "禾木百货旗舰店（新）"})
	w.source.Put(moved, map[string]any{"group_id": 704, "group_name": "直播渠道"})
	w.source.Put(renewed, map[string]any{"session_expired": "2029-06-30 23:59:59"})
	w.source.Put(opened, map[string]any{"shop_name": "新开张🎉专营店"})
	w.source.Remove(closed)
	w.say("Shop %d gets a new name, shop %d moves to another group, the\n"+
		"authorisation of shop %d is renewed, %d opens, %d closes.",
		renamed, moved, renewed, opened, closed)
}

func (w *world) massDelete(ctx context.Context) error {
	w.heading("An answer that would empty the table")
	shops := w.source.Shops()
	const left = 6
	w.source.Keep(left)
	w.say("Suddenly the API knows only %d of the %d shops. A fault over there, or is it\n"+
		"meant? jstsync does not guess.", left, len(shops))
	connections := w.target.connections()
	w.command("jstsync sync")
	plan, err := w.sync(ctx)
	if err != nil {
		return err
	}
	if err := expect(plan, diff.Held, 0, 0, len(shops)-left); err != nil {
		return err
	}
	if w.target.connections() != connections {
		return errors.New("the held run connected to MySQL")
	}
	rows, err := w.readTable(ctx)
	if err != nil {
		return err
	}
	w.say("\nThe command ends with exit code 3: held. MySQL was not connected to, and the\n"+
		"table still has its %d rows. Were the deletes meant, a higher limit in\n"+
		"pipelines.shops.guard of jstsync.yaml would let them through.", len(rows))
	if len(rows) != len(shops) {
		return fmt.Errorf("the table has %d rows after a held run, want %d", len(rows), len(shops))
	}
	w.restore(shops)
	return nil
}

func (w *world) afterwards(ctx context.Context) error {
	w.heading("The API has recovered")
	id := w.source.Shops()[3].ID
	w.source.Put(id, map[string]any{"shop_name": "禾木百货官方旗舰店"})
	w.say("All shops are back, and shop %d has been renamed once more.", id)
	w.command("jstsync sync")
	plan, err := w.sync(ctx)
	if err != nil {
		return err
	}
	return expect(plan, diff.Committed, 0, 1, 0)
}

func (w *world) runs(context.Context) error {
	w.heading("The runs")
	w.command("jstsync runs")
	runs, err := state.Runs(w.stateFile(), 0)
	if err != nil {
		return err
	}
	const want = 5
	if len(runs) != want {
		return fmt.Errorf("the state file tells of %d runs, want %d", len(runs), want)
	}
	return w.text.Runs(w.out, runs)
}

func (w *world) goodbye() {
	w.heading("Now with a real account and a real server")
	w.say(`Build the program, tell it where to read and where to write, look, then sync:

    go build ./cmd/jstsync
    export JST_APP_KEY=…  JST_APP_SECRET=…  JST_ACCESS_TOKEN=…
    export MYSQL_DSN='user:password@tcp(host:3306)/database'
    ./jstsync plan        # shows what a sync would do, writes nothing
    ./jstsync sync        # does it

The state file is jstsync.db in the working directory, or what JSTSYNC_STATE
names. ./jstsync sandbox is the source of this demonstration, to try it against.`)
}
