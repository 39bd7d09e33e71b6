package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"time"
)

// pageTimes is how long a page of the console took when it was asked for first,
// and again.
type pageTimes struct {
	name, path    string
	first, second []sample // wall alone
	bytes         int
}

// measureConsole asks a serving process for each page, in rounds that each begin
// with a process that has read nothing. Its source and target cannot be reached:
// its run fails at once, and the next one is far off.
func (b *bench) measureConsole(ctx context.Context, c *chronicle, state string) error {
	middle := strconv.Itoa(c.runs / 2)
	c.pages = []pageTimes{
		{name: "overview", path: "/"},
		{name: "runs", path: "/runs"},
		{name: "one run", path: "/runs/" + middle},
		{name: "changes", path: "/changes"},
		{name: "changes of a field that none has", path: "/changes?field=group_name"},
		{name: "changes of a key", path: "/changes?key=" + c.key},
		{name: "record", path: "/record?key=" + c.key},
		{name: "table", path: "/table"},
		{name: "table, half way back", path: "/table?at=" + middle + "&from=" + c.key},
		{name: "compare, half of the runs", path: "/compare?a=" + middle + "&b=" + strconv.Itoa(c.runs)},
		{name: "quarantine", path: "/quarantine"},
		{name: "API use", path: "/api"},
	}
	for range c.rounds {
		if err := b.consoleRound(ctx, c, state); err != nil {
			return fmt.Errorf("measure the console: %w", err)
		}
	}
	return nil
}

func (b *bench) consoleRound(ctx context.Context, c *chronicle, state string) (err error) {
	address, err := freeAddress(ctx)
	if err != nil {
		return err
	}
	config := filepath.Join(b.dir, "console.yaml")
	settings := "state: " + state + "\nsource: {base_url: \"http://127.0.0.1:9\", app_key: k, app_secret: s, access_token: t, retry: {max_attempts: 1}}\n" +
		"target: {dsn: \"u:p@tcp(127.0.0.1:9)/d\"}\npipelines: {shops: {every: 24h}}\nserve: {listen: \"" + address + "\", language: en}\n"
	if err := os.WriteFile(config, []byte(settings), 0o600); err != nil {
		return err
	}
	_, stop, err := b.startServe(ctx, config, address)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	time.Sleep(200 * time.Millisecond) // until what is read may be kept
	for i := range c.pages {
		p := &c.pages[i]
		for _, times := range []*[]sample{&p.first, &p.second} {
			took, n, err := ask(ctx, http.DefaultClient, "http://"+address+p.path)
			if err != nil {
				return err
			}
			p.bytes = n
			*times = append(*times, sample{usage: usage{Wall: took}})
		}
	}
	return nil
}

// startServe starts jstsync serve and waits until it is ready; stop ends it.
func (b *bench) startServe(ctx context.Context, config, address string) (process *os.Process, stop func() error, err error) {
	cmd := exec.CommandContext(ctx, b.product, "--quiet", "--config", config, "serve")
	if err := cmd.Start(); err != nil {
		return nil, nil, err
	}
	stop = func() error { return errors.Join(cmd.Process.Signal(syscall.SIGTERM), cmd.Wait()) }
	if err := awaitReady(ctx, "http://"+address+"/readyz"); err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	return cmd.Process, stop, nil
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

func awaitReady(ctx context.Context, url string) error {
	for range 500 {
		if _, _, err := ask(ctx, http.DefaultClient, url); err == nil {
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return errors.New("it does not become ready")
}

// ask gets a page whole.
func ask(ctx context.Context, client *http.Client, url string) (took time.Duration, n int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, 0, err
	}
	began := time.Now() //nolint:forbidigo // it is what is measured
	resp, err := client.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", url, resp.Status)
	}
	return time.Since(began), len(text), err
}

func writeConsole(out *bytes.Buffer, c *chronicle) {
	out.WriteString("\nPages of the console on that file, whole and by HTTP: asked for first, which reads the file, and again.\n\n" +
		"| page | first, ms | again, ms | KiB |\n| --- | ---: | ---: | ---: |\n")
	for i := range c.pages {
		p := &c.pages[i]
		fmt.Fprintf(out, "| %s | %s | %s | %d |\n", p.name, spread(p.first, wall), spread(p.second, wall), p.bytes>>10)
	}
}
