package mapping

import (
	"errors"
	"fmt"
	"math"
	"regexp"
)

// The work an evaluation may do, in about the nanoseconds or bytes that it
// takes: each value that is worked on counts by its size, and by stepWork.
const (
	maxWork  = 4 << 20
	stepWork = 16
)

var (
	errWork     = errors.New("it takes too much work; make it read less")
	errOverflow = errors.New("its arithmetic goes beyond integers of 64 bits")
	errExact    = errors.New("its arithmetic would round an integer of more than 53 bits")
	errDivision = errors.New("it divides by zero")
)

// evaluation is one run of an expression. Its functions panic with the error
// that ends the run, which the library's machine turns into its own.
type evaluation struct {
	patterns map[string]*regexp.Regexp
	left     int
}

// spend takes work from what is left.
func (ev *evaluation) spend(n int) {
	if n > ev.left {
		panic(errWork)
	}
	ev.left -= n
}

// charge counts a value that something works on, and returns it.
func (ev *evaluation) charge(x any) any {
	ev.spend(stepWork)
	switch v := x.(type) {
	case string:
		ev.spend(len(v))
	case []any:
		ev.spend(stepWork * len(v))
	case []string:
		ev.spend(stepWork * len(v))
	case map[string]any:
		ev.spend(stepWork * len(v))
	}
	return x
}

// weigh counts a value with all that is in it, and returns it.
func (ev *evaluation) weigh(x any) any {
	ev.charge(x)
	switch v := x.(type) {
	case []any:
		for _, e := range v {
			ev.weigh(e)
		}
	case []string:
		for _, e := range v {
			ev.charge(e)
		}
	case map[string]any:
		for _, e := range v {
			ev.weigh(e)
		}
	}
	return x
}

// arithmetic applies an operator to two numbers, or + to two texts.
func arithmetic(operator string, a, b any) any {
	s, sOK := a.(string)
	t, tOK := b.(string)
	if sOK && tOK && operator == "+" {
		return s + t
	}
	i, iOK := a.(int)
	j, jOK := b.(int)
	if iOK && jOK && operator != "/" {
		return integers(operator, i, j)
	}
	x, xOK := float(a)
	y, yOK := float(b)
	if !xOK || !yOK {
		panic(fmt.Errorf("it calculates %s %s %s", kindOf(a), operator, kindOf(b)))
	}
	return floats(operator, x, y)
}

func integers(operator string, a, b int) any {
	var n int
	var ok bool
	switch operator {
	case "+":
		n = a + b
		ok = (n > a) == (b > 0)
	case "-":
		n = a - b
		ok = (n < a) == (b > 0)
	default:
		n = a * b
		ok = a == 0 || n/a == b
	}
	if !ok || n == math.MinInt64 { // whose absolute value is none
		panic(errOverflow)
	}
	return n
}

func floats(operator string, a, b float64) any {
	switch operator {
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	}
	if b == 0 {
		panic(errDivision)
	}
	return a / b
}

// float returns a number as a floating-point number that is exactly it.
func float(v any) (float64, bool) {
	switch v := v.(type) {
	case float64:
		return v, true
	case int:
		if v < -1<<53 || v > 1<<53 {
			panic(errExact)
		}
		return float64(v), true
	default:
		return 0, false
	}
}

// kindOf names the kind of a value for people.
func kindOf(v any) string {
	switch v.(type) {
	case nil:
		return "nil"
	case string:
		return "a text"
	case int, float64:
		return "a number"
	case bool:
		return "a bool"
	case map[string]any:
		return "an object"
	case []any, []string:
		return "a list"
	default:
		return fmt.Sprintf("a %T", v)
	}
}
