package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// http CODE METHOD URL [NAME:VALUE…] sends one request with headers, wants the
// status and prints the body.
func (s *script) http(ts *testscript.TestScript, args []string) error {
	code, body, err := s.request(args[1], args[2], args[3:]...)
	if err != nil {
		return err
	}
	fmt.Fprint(ts.Stdout(), body)
	if strconv.Itoa(code) != args[0] {
		return fmt.Errorf("got status %d: %s", code, body)
	}
	return nil
}

// await REGEXP URL [NAME:VALUE…] gets the page until it matches.
func (s *script) await(ts *testscript.TestScript, args []string) error {
	want, err := regexp.Compile("(?m)" + args[0])
	if err != nil {
		return err
	}
	var body string
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if _, body, err = s.request(http.MethodGet, args[1], args[2:]...); err == nil && want.MatchString(body) {
			fmt.Fprint(ts.Stdout(), body)
			return nil
		}
	}
	return fmt.Errorf("%s has not come: %w: %s", args[0], err, body)
}

func (s *script) request(method, url string, headers ...string) (code int, body string, err error) {
	r, err := http.NewRequestWithContext(s.tb.Context(), method, url, nil)
	if err != nil {
		return 0, "", err
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		if r.Header.Set(name, value); name == "Host" {
			r.Host = value
		}
	}
	resp, err := (&http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	all, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(all), err
}

// signal HUP|INT|TERM goes to the program that was last put into the background.
func (s *script) signal(ts *testscript.TestScript, args []string) error {
	sig, ok := map[string]os.Signal{"HUP": syscall.SIGHUP, "INT": syscall.SIGINT, "TERM": syscall.SIGTERM}[args[0]]
	all := ts.BackgroundCmds()
	if !ok || len(all) == 0 {
		return fmt.Errorf("there is no signal %s, or nothing in the background", args[0])
	}
	return all[len(all)-1].Process.Signal(sig)
}
