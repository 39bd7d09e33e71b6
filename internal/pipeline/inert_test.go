package pipeline_test

import (
	"bytes"
	"os"
	"reflect"
	"slices"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// dry plans, and makes sure that nothing is written.
func (b *badRecords) dry(rt *rapid.T) *diff.Plan {
	r, err := b.runner()
	if err != nil {
		rt.Fatal(err)
	}
	was, _ := os.ReadFile(b.path)
	opened := b.target.(*memoryTable).opened
	plan, _ := r.Plan(rt.Context())
	if is, _ := os.ReadFile(b.path); !bytes.Equal(was, is) || b.target.(*memoryTable).opened != opened {
		rt.Fatal("a plan wrote")
	}
	return plan
}

// alike makes sure that a run did what was planned.
func (b *badRecords) alike(rt *rapid.T, dry, plan *diff.Plan) {
	if dry.Digest != plan.Digest || !reflect.DeepEqual(dry.Quarantine, plan.Quarantine) || !reflect.DeepEqual(dry.Withheld, plan.Withheld) ||
		!reflect.DeepEqual(dry.Summary, plan.Summary) || !reflect.DeepEqual(dry.Rehashed, plan.Rehashed) || !reflect.DeepEqual(dry.Rules, plan.Rules) {
		rt.Fatalf("planned %+v\nran %+v", dry, plan)
	}
}

// quiet makes sure that runs upon the same source change nothing, and soon write nothing but their record.
func (b *badRecords) quiet(rt *rapid.T) {
	table := b.target.(*memoryTable)
	opened := table.opened
	for n := range 2 {
		plan, err := b.sync()
		if err != nil || plan.Status != diff.Unchanged || table.opened != opened || n > 0 && slices.ContainsFunc(plan.Rehashed, hashed) {
			rt.Fatalf("run %d upon the same source: %v, %s, %+v, rehashed %v", n, err, plan.Status, plan.Summary, plan.Rehashed)
		}
	}
}

// hashed reports whether a row gets a hash, not one that it has already.
func hashed(r diff.Rehash) bool { return r.Source != diff.NoHash }

// verified makes sure that no drift is found.
func (b *badRecords) verified(rt *rapid.T) {
	r, err := b.runner()
	if err != nil {
		rt.Fatal(err)
	}
	v, _ := verifier(b.world, r)
	snap, err := r.State.Snapshot()
	if err != nil || snap.Head.IsEmpty() || snap.Fingerprint != r.Mapping.Fingerprint {
		return
	}
	if drift, err := v.Verify(rt.Context()); err != nil || drift.Status != diff.Unchanged {
		rt.Fatalf("verified: %v, %s, %+v", err, drift.Status, drift.Summary)
	}
}
