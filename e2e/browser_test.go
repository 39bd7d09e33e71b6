package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// The ways a page is looked at.
var (
	desktop = screen{name: "desktop-light", width: 1280, height: 900, scheme: "light"}
	night   = screen{name: "desktop-dark", width: 1280, height: 900, scheme: "dark"}
	phone   = screen{name: "phone-light", width: 360, height: 740, scheme: "light"}
	pocket  = screen{name: "phone-dark", width: 360, height: 740, scheme: "dark"}
	screens = []screen{desktop, night, phone, pocket}
)

type screen struct {
	name          string
	width, height int64
	scheme        string
	noScript      bool
}

// tab is a page in the browser, and what it has said and asked for since.
type tab struct {
	t    testing.TB
	ctx  context.Context
	name string

	mu       sync.Mutex
	console  []string
	requests []string
	blocked  int // requests that the page's policy stopped
}

// patience is how long one thing may take on a machine that is busy.
const patience = time.Minute

// chromium returns the browser to use. Without one the test skips, or fails
// where one is required.
func chromium(t testing.TB) string {
	t.Helper()
	if path := os.Getenv("JSTSYNC_TEST_CHROMIUM"); path != "" {
		return path
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("JSTSYNC_TEST_REQUIRE_CHROMIUM") == "1" {
		t.Fatal("there is no Chromium; install the package chromium")
	}
	t.Skip("there is no Chromium; install the package chromium")
	return ""
}

// start starts a browser for the test and what is below it.
func start(t testing.TB) browser {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(chromium(t)), chromedp.DisableGPU, chromedp.Flag("lang", "en-US"), chromedp.Flag("hide-scrollbars", true))
	if os.Geteuid() == 0 { // Chromium's own sandbox needs a user
		options = append(options, chromedp.NoSandbox)
	}
	ctx, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	ctx, closeBrowser := chromedp.NewContext(ctx)
	t.Cleanup(closeBrowser)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start Chromium: %v", err)
	}
	return browser{ctx}
}

// browser is one that runs.
type browser struct{ ctx context.Context }

// open shows the file on the screen, in a tab of its own.
func (b browser) open(t testing.TB, file string, s screen) *tab {
	t.Helper()
	return b.visit(t, (&url.URL{Scheme: "file", Path: file}).String(), s)
}

// visit shows the page at the address.
func (b browser) visit(t testing.TB, address string, s screen) *tab {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	p := &tab{t: t, ctx: ctx, name: s.name}
	if err := chromedp.Listen(ctx, p.note); err != nil {
		t.Fatal(err)
	}
	p.do(
		emulateMedia(s),
		chromedp.EmulateViewport(s.width, s.height),
		chromedp.Navigate(address),
	)
	return p
}

func emulateMedia(s screen) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: s.scheme}},
		})
		_, err2 := cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: s.noScript})
		return errors.Join(err, err2)
	})
}

// note keeps what the page logs and asks for.
func (p *tab) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *network.EventLoadingFailed:
		if e.BlockedReason == network.BlockedReasonCsp {
			p.blocked++
		}
	case *log.EventEntryAdded:
		p.console = append(p.console, e.Entry.Text)
	case *runtime.EventExceptionThrown:
		p.console = append(p.console, e.ExceptionDetails.Text)
	case *runtime.EventConsoleAPICalled:
		p.console = append(p.console, fmt.Sprint(e.Type))
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, steps...); err != nil {
		p.t.Fatal(err)
	}
}

// eval returns the value of a JavaScript expression in the page.
func eval[T any](p *tab, expression string) T {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// waitFor waits until the expression is true.
func (p *tab) waitFor(expression string) {
	p.t.Helper()
	deadline := time.Now().Add(patience)
	for !eval[bool](p, "!!("+expression+")") { // what is undefined while a page loads is not true yet
		if time.Now().After(deadline) {
			p.t.Fatalf("not true after %v: %s\n%s", patience, expression, eval[string](p, `document.body.innerText`))
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// quiet checks that the page logged nothing and asked for nothing but itself.
func (p *tab) quiet() {
	p.t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.console) > 0 {
		p.t.Errorf("the console says %q", p.console)
	}
	for i, r := range p.requests {
		if i > 0 && r != "data:," {
			p.t.Errorf("the page asks for %s", r)
		}
	}
}

// shoot leaves a picture of the whole page where pictures are wanted.
func (p *tab) shoot(name string) {
	p.t.Helper()
	dir := os.Getenv("JSTSYNC_SCREENSHOTS")
	if dir == "" {
		return
	}
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, strings.Join([]string{name, p.name}, "-")+".png"), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
