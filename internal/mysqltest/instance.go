package mysqltest

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/go-sql-driver/mysql"
)

const (
	installTimeout = 2 * time.Minute  // two seconds on an idle machine
	startTimeout   = time.Minute      // under a second on an idle machine
	stopTimeout    = 30 * time.Second // then it is killed
	pollEvery      = 20 * time.Millisecond
)

// A small redo log: initialising the default one costs more than half of the time and 96 MiB.
const redoLog = "--innodb-log-file-size=16M"

// errPortTaken says that another process took the port between its choice and its use.
var errPortTaken = errors.New("port taken")

// instance is one private mariadbd. Its directory outlives its process, so that it can be started again.
type instance struct {
	mariadbd string
	dir      string   // holds data/, the socket s, log and lock
	lock     *os.File // held as long as dir is in use
	port     int      // the same for every start once one succeeded
	args     []string // of the test, after the package's own
	proc     *process // nil before the first start
}

// newInstance creates the files of a server and starts it. It returns [errNoServer] where MariaDB is not
// installed.
func newInstance(args []string) (*instance, error) {
	mariadbd, ok := find("mariadbd")
	install, ok2 := find("mariadb-install-db")
	if !ok || !ok2 {
		return nil, errNoServer
	}
	base := baseDir()
	sweep(base)
	dir, lock, err := makeDir(base)
	if err != nil {
		return nil, err
	}
	in := &instance{mariadbd: mariadbd, dir: dir, lock: lock, args: args}
	if err = in.install(install); err == nil {
		err = in.startSomewhere()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir), lock.Close())
	}
	return in, nil
}

// startSomewhere starts the server on a free port, which it keeps.
func (in *instance) startSomewhere() error {
	var err error
	for range 3 { // a port found free may be taken a moment later
		if in.port, err = freePort(); err != nil {
			return err
		}
		if err = in.start(); !errors.Is(err, errPortTaken) {
			return err
		}
	}
	return err
}

// find looks a program of MariaDB up in PATH and where servers are kept beside it.
func find(name string) (string, bool) {
	if path, err := exec.LookPath(name); err == nil {
		return path, true
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, true
		}
	}
	return "", false
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// install creates the system tables, with an administrator root without a password.
func (in *instance) install(program string) error {
	ctx, cancel := context.WithTimeout(context.Background(), installTimeout)
	defer cancel()
	args := append([]string{"--no-defaults"}, asRoot()...)
	args = append(args, "--datadir="+in.data(), "--auth-root-authentication-method=normal", "--skip-test-db", redoLog)
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = in.environ()
	out, err := cmd.CombinedOutput()
	if err != nil {
		return fmt.Errorf("run mariadb-install-db: %w\n%s", err, lastLines(out))
	}
	return nil
}

// environ gives the instance a directory of its own for temporary files: a
// server that starts removes those of every other one that shares its directory.
func (in *instance) environ() []string { return append(os.Environ(), "TMPDIR="+in.dir) }

// asRoot returns what MariaDB's programs want to hear before they run as root.
func asRoot() []string {
	if os.Geteuid() == 0 {
		return []string{"--user=root"}
	}
	return nil
}

// start starts the server and returns when it answers.
func (in *instance) start() error {
	log, err := os.Create(filepath.Join(in.dir, "log"))
	if err != nil {
		return fmt.Errorf("create the server's log: %w", err)
	}
	defer func() { _ = log.Close() }() // the child has its own handle

	args := append([]string{"--no-defaults"}, asRoot()...)
	args = append(
		args,
		"--datadir="+in.data(), "--socket="+filepath.Join(in.dir, "s"),
		"--bind-address=127.0.0.1", "--port="+strconv.Itoa(in.port),
		"--skip-name-resolve", "--skip-log-bin", "--userstat=1",
		"--innodb-flush-log-at-trx-commit=1", redoLog,
	)
	cmd := exec.Command(in.mariadbd, append(args, in.args...)...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Env = in.environ()
	if in.proc, err = startProcess(cmd); err != nil {
		return fmt.Errorf("start mariadbd: %w", err)
	}
	if err := in.waitReady(); err != nil {
		in.proc.kill()
		text, _ := os.ReadFile(log.Name()) // without it the error is merely shorter
		if bytes.Contains(text, []byte("Bind on TCP/IP port")) {
			err = errPortTaken
		}
		return fmt.Errorf("start mariadbd on port %d: %w\n%s", in.port, err, lastLines(text))
	}
	return nil
}

// waitReady returns when the server answers on its port.
func (in *instance) waitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	db, err := open(in.config())
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }() // it was only opened to ask
	for {
		asked := in.isIt(ctx, db)
		if asked == nil {
			return nil
		}
		select {
		case <-in.proc.done:
			return fmt.Errorf("it ended: %w", errors.Join(in.proc.err, asked))
		case <-ctx.Done():
			return fmt.Errorf("no answer in %v: %w", startTimeout, asked)
		case <-time.After(pollEvery):
		}
	}
}

// isIt asks whether it is this server that answers: another process may have taken its port.
func (in *instance) isIt(ctx context.Context, db *sql.DB) error {
	var got string
	if err := db.QueryRowContext(ctx, "SELECT @@datadir").Scan(&got); err != nil {
		return fmt.Errorf("ask for the data directory: %w", err)
	}
	if filepath.Clean(got) != in.data() {
		return fmt.Errorf("another server answers, that of %s", got)
	}
	return nil
}

// remove ends the server, whose data nobody reads again, and removes its directory.
func (in *instance) remove() error {
	in.proc.kill()
	if err := errors.Join(os.RemoveAll(in.dir), in.lock.Close()); err != nil {
		return fmt.Errorf("remove the server's directory: %w", err)
	}
	return nil
}

func (in *instance) data() string { return filepath.Join(in.dir, "data") }

func (in *instance) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(in.port)) }

// config returns the administrator's account.
func (in *instance) config() *mysql.Config {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Net, cfg.Addr = "root", "tcp", in.addr()
	return cfg
}

// lastLines returns the end of a program's output, as much as helps to read an error.
func lastLines(out []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-12):], []byte("\n"))
}
