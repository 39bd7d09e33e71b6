//go:build fault && !windows

package fault

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The variables that arm a test build.
const (
	envFaults = "JSTSYNC_FAULT"
	envLimits = "JSTSYNC_FAULT_LIMITS"
)

// Error is what [Hit] returns where an error was asked for.
type Error struct{ Point Point }

func (e *Error) Error() string { return fmt.Sprintf("fault at %s", e.Point) }

// order is one fault to come.
type order struct {
	point  Point
	nth    int
	action string
	delay  time.Duration
}

// passes counts how often each point was passed.
type passes struct {
	mu sync.Mutex
	n  map[Point]int
}

var (
	orders = sync.OnceValue(readOrders)
	limits = sync.OnceValue(readLimits)
	passed = &passes{n: map[Point]int{}}
)

// Hit does what the environment wants at this passing of the point, and says
// so on stderr first.
func Hit(p Point) error {
	n := passed.next(p)
	for _, o := range orders() {
		if o.point == p && o.nth == n {
			fmt.Fprintf(os.Stderr, "fault: %s@%d %s\n", p, n, o.action)
			return o.do()
		}
	}
	return nil
}

// next counts one more passing.
func (c *passes) next(p Point) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[p]++
	return c.n[p]
}

func (o order) do() error {
	switch o.action {
	case "kill":
		return signalSelf(syscall.SIGKILL)
	case "stop":
		return signalSelf(syscall.SIGSTOP)
	case "delay":
		time.Sleep(o.delay)
		return nil
	default:
		return &Error{o.point}
	}
}

func signalSelf(s syscall.Signal) error {
	if err := syscall.Kill(os.Getpid(), s); err != nil {
		panic(err)
	}
	time.Sleep(100 * time.Millisecond) // until it has arrived
	return nil
}

// Limit returns the limit of that name, or the shipped one where the
// environment names none.
func Limit[N ~int | ~int64](name string, shipped N) N {
	if n, ok := limits()[name]; ok {
		return N(n)
	}
	return shipped
}

// readOrders panics where the variable is not as the package documents it: a
// test must not pass because its fault was misspelt.
func readOrders() []order {
	var list []order
	for _, word := range words(envFaults) {
		where, action, _ := strings.Cut(word, "=")
		point, nth, counted := strings.Cut(where, "@")
		o := order{point: Point(point), nth: 1}
		if counted {
			o.nth = int(number(nth))
		}
		var delay string
		if o.action, delay, _ = strings.Cut(action, "="); o.action == "delay" {
			var err error
			if o.delay, err = time.ParseDuration(delay); err != nil {
				panic(err)
			}
		}
		if !known(o) {
			panic(fmt.Sprintf("%s: %q is not POINT@N=ACTION", envFaults, word))
		}
		list = append(list, o)
	}
	return list
}

func known(o order) bool {
	action := o.action == "kill" || o.action == "stop" || o.action == "error" || o.action == "delay"
	for _, p := range Points() {
		if p == o.point {
			return action && o.nth > 0
		}
	}
	return false
}

func readLimits() map[string]int64 {
	m := map[string]int64{}
	for _, word := range words(envLimits) {
		name, n, _ := strings.Cut(word, "=")
		m[name] = number(n)
	}
	return m
}

func number(text string) int64 {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		panic(err)
	}
	return n
}

func words(variable string) []string {
	return strings.FieldsFunc(os.Getenv(variable), func(r rune) bool { return r == ',' })
}
