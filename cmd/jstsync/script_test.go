package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	"github.com/rogpeppe/go-internal/testscript"

	"jstsync/internal/mysqltest"
	"jstsync/internal/sandbox"
	"jstsync/state"
)

func TestMain(m *testing.M) { os.Exit(mysqltest.Wrap(built{m}).Run()) }

// built runs tests with the program first in PATH, built as it ships, whatever
// the tests are built with.
type built struct{ m *testing.M }

func (b built) Run() int {
	dir, err := os.MkdirTemp("", "jstsync")
	if err != nil {
		panic(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	build := exec.Command("go", "build", "-trimpath", "-o", filepath.Join(dir, "jstsync"), ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%s: %v\n%s", build, err, out))
	}
	if err := os.Setenv("PATH", dir+string(filepath.ListSeparator)+os.Getenv("PATH")); err != nil {
		panic(err)
	}
	return b.m.Run()
}

// TestScript runs the scripts of testdata/script: the command line's contract,
// against a sandbox and a real server.
//
// Beside the usual commands there are: sandbox N [TABLE] starts a local
// Jushuitan of N shops and exports what it takes to call it; account NAME N FIRST [KEY] starts another one, of N shops numbered
// from FIRST and the app KEY, NAME-key by default, puts its address into NAME, its
// secret and token into NAME_secret and NAME_token, and makes it the one that is changed from then on, as account NAME does; put ID NAME=VALUE…,
// remove ID…, keep N and fault JSON|clear change it; calls N checks how many calls it
// got since the last time; server gives the script a MariaDB of its own; sql QUERY prints rows of the script's own database;
// counters remembers the server's counters and counters NAME=N… checks by how
// much they moved since; unmoved FILE checks that nobody wrote to it since the
// first time; exitcode N PROGRAM… wants that exit code; control METHOD PATH
// [BODY] talks to the local Jushuitan's control endpoint; token NAME puts its
// current access token into a variable; lock FILE holds a state file's run lock
// to the script's end; flip FILE TEXT changes one bit of each TEXT in a file;
// flipbyte FILE AT changes one byte, counted from the end when AT is negative; fifo
// FILE makes a named pipe; disk KIB DIR puts a disk of that size at DIR, with the
// condition [mount]; fill FILE takes all space that is left there; rename N gives
// the first N shops a new name; documented FILE runs each SQL query of a
// document; http CODE METHOD URL [NAME:VALUE…] sends a request
// with headers, wants that status and prints the body; await REGEXP URL
// [NAME:VALUE…] gets a page until it matches; signal HUP|INT|TERM goes to the
// program that was last put into the background; user NAME makes a user of the server without rights and puts its DSN into
// the variable.
func TestScript(t *testing.T) {
	mysqltest.DSN(t) // skips them all where there is no server
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			tb := env.T().(testing.TB)
			dsn := mysqltest.DSN(tb)
			env.Setenv("MYSQL_DSN", dsn)
			env.Setenv("COLUMNS", "200") // so that no line is wrapped
			env.Values[keyScript] = &script{tb: tb, dsn: dsn, files: map[string]string{}, accounts: map[string]*sandbox.Server{}}
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "mount" {
				return false, fmt.Errorf("unknown condition %q", name)
			}
			return canMount(t), nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"sandbox":  scripted((*script).sandbox),
			"account":  scripted((*script).account),
			"put":      scripted((*script).put),
			"remove":   scripted((*script).remove),
			"keep":     scripted((*script).keep),
			"fault":    scripted((*script).fault),
			"calls":    scripted((*script).calls),
			"sql":      scripted((*script).sql),
			"counters": scripted((*script).counters),
			"server":   scripted((*script).ownServer),
			"exitcode": exitcode,
			"unmoved":  scripted((*script).unmoved),
			"nolisten": scripted((*script).noListen),
			"filemode": scripted((*script).fileMode),
			"control":  scripted((*script).control),
			"token":    scripted((*script).token),
			"lock":     scripted((*script).lock),
			"flip":     scripted((*script).flip),
			"flipbyte": scripted((*script).flipByte),
			"fifo":     scripted((*script).fifo),
			"disk":     scripted((*script).disk),
			"fill":     scripted((*script).fill),
			"rename":   scripted((*script).rename),
			"http":     scripted((*script).http),
			"await":    scripted((*script).await),
			"signal":   scripted((*script).signal),
			"user":     scripted((*script).user),

			"documented": scripted((*script).documented),
		},
	})
}

type scriptKey string

const keyScript scriptKey = "script"

// script is what the extra commands of one script share.
type script struct {
	tb       testing.TB
	dsn      string
	server   *sandbox.Server
	accounts map[string]*sandbox.Server
	before   map[string]int64
	files    map[string]string
	renamed  int // how often
}

// scripted makes a command of a method, whose error ends the script.
func scripted(run func(s *script, ts *testscript.TestScript, args []string) error) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command has no opposite")
		}
		ts.Check(run(ts.Value(keyScript).(*script), ts, args))
	}
}

func (s *script) sandbox(ts *testscript.TestScript, args []string) error {
	shops, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	options := sandbox.Options{Seed: 7, Shops: shops, PerSecond: -1, PerMinute: -1}
	if len(args) > 1 && args[1] == "B" {
		options.Table = sandbox.TableB
	}
	s.server = sandbox.New(options)
	url, shut, err := sandbox.Listen("127.0.0.1:0", s.server)
	if err != nil {
		return err
	}
	ts.Defer(func() { _ = shut() })
	ts.Setenv("JST_BASE_URL", url)
	ts.Setenv("JST_APP_KEY", "sandbox-key")
	ts.Setenv("JST_APP_SECRET", "sandbox-secret")
	ts.Setenv("JST_ACCESS_TOKEN", "sandbox-token")
	file := filepath.Join(ts.Getenv("WORK"), "jstsync.yaml")
	return os.WriteFile(file, []byte("source: {rate: {per_second: 10000, per_minute: 1000000}, retry: {max_attempts: 2}}\n"), 0o600)
}

// account starts one of several local Jushuitans, or names the one that is meant.
func (s *script) account(ts *testscript.TestScript, args []string) error {
	name := args[0]
	if len(args) == 1 {
		s.server = s.accounts[name]
		return nil
	}
	shops, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	first, err := strconv.ParseInt(args[2], 10, 64)
	if err != nil {
		return err
	}
	key := name + "-key"
	if len(args) > 3 {
		key = args[3]
	}
	s.server = sandbox.New(sandbox.Options{
		Seed: uint64(first), Shops: shops, FirstID: first, PerSecond: -1, PerMinute: -1,
		AppKey: key, AppSecret: name + "-secret", AccessToken: name + "-token",
	})
	url, shut, err := sandbox.Listen("127.0.0.1:0", s.server)
	if err != nil {
		return err
	}
	ts.Defer(func() { _ = shut() })
	s.accounts[name] = s.server
	ts.Setenv(name, url)
	ts.Setenv(name+"_secret", name+"-secret")
	ts.Setenv(name+"_token", name+"-token")
	return nil
}

// id returns a shop's number; #N is the N-th shop, from 1.
func (s *script) id(arg string) (int64, error) {
	if n, ok := strings.CutPrefix(arg, "#"); ok {
		i, err := strconv.Atoi(n)
		if err != nil {
			return 0, err
		}
		return s.server.Shops()[i-1].ID, nil
	}
	return strconv.ParseInt(arg, 10, 64)
}

func (s *script) put(_ *testscript.TestScript, args []string) error {
	id, err := s.id(args[0])
	if err != nil {
		return err
	}
	members := map[string]any{}
	for _, arg := range args[1:] {
		name, value, _ := strings.Cut(arg, "=")
		if json.Valid([]byte(value)) {
			members[name] = json.RawMessage(value)
		} else {
			members[name] = value
		}
	}
	s.server.Put(id, members)
	return nil
}

func (s *script) remove(_ *testscript.TestScript, args []string) error {
	var ids []int64
	for _, arg := range args {
		id, err := s.id(arg)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	s.server.Remove(ids...)
	return nil
}

func (s *script) keep(_ *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[0])
	s.server.Keep(n)
	return err
}

// rename gives the first shops names that they never had.
func (s *script) rename(_ *testscript.TestScript, args []string) error {
	n, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	s.renamed++
	for _, shop := range s.server.Shops()[:n] {
		s.server.Put(shop.ID, map[string]any{"shop_name": fmt.Sprintf("新名字 %d", s.renamed)})
	}
	return nil
}

func (s *script) flipByte(ts *testscript.TestScript, args []string) error {
	at, err := strconv.Atoi(args[1])
	if err != nil {
		return err
	}
	text := []byte(ts.ReadFile(args[0]))
	if at < 0 {
		at += len(text)
	}
	text[at] ^= 1
	return os.WriteFile(ts.MkAbs(args[0]), text, 0o600)
}

func (s *script) fault(_ *testscript.TestScript, args []string) error {
	if args[0] == "clear" {
		s.server.ClearFaults()
		return nil
	}
	var f sandbox.Fault
	if err := json.Unmarshal([]byte(args[0]), &f); err != nil {
		return err
	}
	return s.server.Inject(f)
}

func (s *script) calls(_ *testscript.TestScript, args []string) error {
	got := strconv.Itoa(len(s.server.Calls()))
	s.server.ResetCalls()
	if len(args) == 1 && got != args[0] {
		return fmt.Errorf("got %s calls, want %s", got, args[0])
	}
	return nil
}

func (s *script) sql(ts *testscript.TestScript, args []string) error {
	db, err := sql.Open("mysql", s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.QueryContext(context.Background(), strings.Join(args, " "))
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		line := make([]string, len(values))
		for i, v := range values {
			if line[i] = v.String; !v.Valid {
				line[i] = "NULL"
			}
		}
		fmt.Fprintln(ts.Stdout(), strings.Join(line, "\t"))
	}
	return rows.Err()
}

// documented runs the queries of a document of the project, each of which must
// find something.
func (s *script) documented(_ *testscript.TestScript, args []string) error {
	text, err := os.ReadFile(filepath.Join("..", "..", args[0]))
	if err != nil {
		return err
	}
	db, err := sql.Open("mysql", s.dsn)
	if err != nil {
		return err
	}
	defer db.Close()
	blocks := strings.Split(string(text), "```sql\n")[1:]
	if len(blocks) == 0 {
		return fmt.Errorf("%s has no query", args[0])
	}
	for _, block := range blocks {
		query, _, _ := strings.Cut(block, "```")
		var found int
		query = "SELECT COUNT(*) FROM (" + strings.TrimSuffix(strings.TrimSpace(query), ";") + ") q"
		if err := db.QueryRowContext(s.tb.Context(), query).Scan(&found); err != nil || found == 0 {
			return fmt.Errorf("%s: %d rows, %w: %s", args[0], found, err, query)
		}
	}
	return nil
}

// ownServer gives the script a server that nobody else counts on.
func (s *script) ownServer(ts *testscript.TestScript, _ []string) error {
	server := mysqltest.Start(s.tb)
	s.dsn = server.DSN()
	ts.Setenv("MYSQL_DSN", s.dsn)
	return nil
}

func (s *script) counters(_ *testscript.TestScript, args []string) error {
	now := map[string]int64{}
	for _, name := range []string{"Connections", "Com_insert", "Com_update", "Com_delete", "Com_replace"} {
		now[name] = mysqltest.Status(s.tb, s.dsn, name)
	}
	for _, table := range []string{"jst_shops", "jstsync_checkpoint"} {
		now[table] = mysqltest.TableRowsChanged(s.tb, s.dsn, table)
	}
	for _, arg := range args {
		name, want, _ := strings.Cut(arg, "=")
		if got := strconv.FormatInt(now[name]-s.before[name], 10); got != want {
			return fmt.Errorf("%s moved by %s, want %s", name, got, want)
		}
	}
	s.before = now
	return nil
}

// noListen puts the address of a port that nobody listens on into a variable,
// and the port alone into another.
func (s *script) noListen(ts *testscript.TestScript, args []string) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	ts.Setenv(args[0], l.Addr().String())
	ts.Setenv(args[0]+"_PORT", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	return l.Close()
}

// unmoved checks that a file has the bytes and the time of change that it had
// when it was first named.
func (s *script) unmoved(ts *testscript.TestScript, args []string) error {
	info, err := os.Stat(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	now := info.ModTime().String() + ts.ReadFile(args[0])
	if was, ok := s.files[args[0]]; ok && was != now {
		return fmt.Errorf("%s was written to", args[0])
	}
	s.files[args[0]] = now
	return nil
}

func (s *script) fileMode(ts *testscript.TestScript, args []string) error {
	info, err := os.Stat(ts.MkAbs(args[1]))
	if err == nil && fmt.Sprintf("%04o", info.Mode().Perm()) != args[0] {
		err = fmt.Errorf("%s has mode %04o, want %s", args[1], info.Mode().Perm(), args[0])
	}
	return err
}

// control sends one request to the control endpoint of the script's sandbox.
func (s *script) control(ts *testscript.TestScript, args []string) error {
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(s.tb.Context(), args[0], "/_control/"+args[1], strings.NewReader(strings.Join(args[2:], " ")))
	r.RemoteAddr = "127.0.0.1:1" // it answers this machine only
	s.server.ServeHTTP(w, r)
	if w.Code/100 != 2 {
		ts.Fatalf("%d: %s", w.Code, w.Body)
	}
	return nil
}

func (s *script) token(ts *testscript.TestScript, args []string) error {
	ts.Setenv(args[0], s.server.AccessToken())
	return nil
}

func (s *script) lock(ts *testscript.TestScript, args []string) error {
	l, err := state.Acquire(s.tb.Context(), ts.MkAbs(args[0]), time.Second, time.Now())
	if err == nil {
		ts.Defer(func() { _ = l.Release() })
	}
	return err
}

func (s *script) flip(ts *testscript.TestScript, args []string) error {
	all, text := []byte(ts.ReadFile(args[0])), []byte(args[1])
	if !bytes.Contains(all, text) {
		return fmt.Errorf("%s does not hold %q", args[0], text)
	}
	flipped := bytes.Clone(text)
	flipped[len(flipped)-1] ^= 1
	return os.WriteFile(ts.MkAbs(args[0]), bytes.ReplaceAll(all, text, flipped), 0o600)
}

func (s *script) fill(ts *testscript.TestScript, args []string) error {
	f, err := os.Create(ts.MkAbs(args[0]))
	if err != nil {
		return err
	}
	block := make([]byte, 512)
	for err == nil {
		_, err = f.Write(block)
	}
	return f.Close()
}

// exitcode runs a program and wants the given exit code of it.
func exitcode(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exitcode N program [args]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("got exit code %d, want %s", code, args[0])
	}
}
