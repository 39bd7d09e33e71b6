package load

import (
	"log/slog"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"

	"jstsync/diff"
	"jstsync/internal/fault"
)

// Target is one pipeline's table on a MySQL server.
type Target struct {
	cfg      *mysql.Config
	pipeline string
	table    *diff.Table
	log      *slog.Logger
	resend   resending
	doubt    time.Duration               // how long a run's fate may stay unknown before giving up
	patience time.Duration               // for COMMIT's answer, which no signal cuts short
	commits  func(diff.ID) (bool, error) // of this state file; may be nil
	deletes  Deletes
	shared   bool
	changes  string                       // the table of changes; "" is none
	json     func([]byte) (string, error) // the mapping's spelling; may be nil
	progress func(done, total int)        // may be nil
	warned   warned
}

// Open reads the DSN and returns the target. It does not connect. A DSN that
// is wrong or sets what the product sets itself, and options that contradict
// the table, are errors of [diff.CodeConfig].
func Open(dsn, pipeline string, table *diff.Table, log *slog.Logger, options ...Option) (*Target, error) {
	cfg, err := config(dsn, log)
	if err != nil {
		return nil, err
	}
	t := &Target{
		cfg: cfg, pipeline: pipeline, table: table, log: log,
		resend: newResending(), doubt: fault.Limit("doubt", doubtLimit), patience: fault.Limit("commit", commitTimeout), deletes: DeleteHard,
	}
	for _, option := range options {
		option(t)
	}
	if err := t.check(); err != nil {
		return nil, err
	}
	return t, nil
}

// warned remembers what the log was told, so that it is told once.
type warned struct {
	mu   sync.Mutex
	told map[string]bool
}

// warn logs what a person should know but need not act on now, once.
func (t *Target) warn(message string) {
	t.warned.mu.Lock()
	defer t.warned.mu.Unlock()
	if t.warned.told == nil {
		t.warned.told = map[string]bool{}
	}
	if !t.warned.told[message] {
		t.warned.told[message] = true
		t.log.Warn(message, "pipeline", t.pipeline)
	}
}
