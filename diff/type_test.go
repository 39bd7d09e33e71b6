package diff_test

import (
	"strings"
	"testing"

	"jstsync/diff"
)

func TestParseType(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		kind       diff.Kind
	}{
		{"BIGINT", "BIGINT", diff.Int},
		{"bigint", "BIGINT", diff.Int},
		{" Int ", "INT", diff.Int},
		{"DECIMAL(12,2)", "DECIMAL(12,2)", diff.Text},
		{"decimal ( 65 , 30 )", "DECIMAL(65,30)", diff.Text},
		{"DECIMAL(1,1)", "DECIMAL(1,1)", diff.Text},
		{"DECIMAL(10)", "DECIMAL(10,0)", diff.Text},
		{"VARCHAR(1)", "VARCHAR(1)", diff.Text},
		{"varchar(16383)", "VARCHAR(16383)", diff.Text},
		{"TEXT", "TEXT", diff.Text},
		{"DATETIME", "DATETIME", diff.Text},
		{"DATETIME(0)", "DATETIME", diff.Text},
		{"datetime(6)", "DATETIME(6)", diff.Text},
		{"DATE", "DATE", diff.Text},
		{"BOOL", "BOOL", diff.Int},
		{"JSON", "JSON", diff.Text},
	} {
		got, err := diff.ParseType(tt.text)
		if err != nil || got.String() != tt.want || got.Kind() != tt.kind {
			t.Errorf("%q: got %s of kind %d, %v, want %s of kind %d", tt.text, got, got.Kind(), err, tt.want, tt.kind)
		}
		if again, err := diff.ParseType(got.String()); err != nil || again != got {
			t.Errorf("%s again: got %+v, %v, want %+v", got, again, err, got)
		}
	}
}

func TestParseType_Errors(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", "there is no such type; use BIGINT, INT, DECIMAL(p,s)"},
		{"INTEGER", "there is no such type; use"},
		{"TIMESTAMP", "there is no such type; use"},
		{"VARCHAR", "write it like VARCHAR(255)"},
		{"VARCHAR(0)", "1 to 16383 characters"},
		{"VARCHAR(16384)", "or TEXT for longer ones"},
		{"VARCHAR(10,2)", "write it like VARCHAR(255)"},
		{"VARCHAR(-1)", "not a number in parentheses"},
		{"VARCHAR(10", "not a number in parentheses"},
		{"VARCHAR(10))", "not a number in parentheses"},
		{"VARCHAR(10) BINARY", "not a number in parentheses"},
		{"VARCHAR()", "not a number in parentheses"},
		{"VARCHAR(1e3)", "not a number in parentheses"},
		{"VARCHAR(99999999999999999999)", "not a number in parentheses"},
		{"BIGINT(20)", "it takes no size; write BIGINT"},
		{"BOOL(1)", "it takes no size; write BOOL"},
		{"DATETIME(7)", "0 to 6 digits"},
		{"DECIMAL", "write it like DECIMAL(12,2)"},
		{"DECIMAL(66,2)", "1 to 65 digits in all"},
		{"DECIMAL(40,31)", "at most 30"},
		{"DECIMAL(2,3)", "no more than all"},
		{"DECIMAL(0,0)", "1 to 65 digits in all"},
		{"DECIMAL(1,2,3)", "write it like DECIMAL(12,2)"},
	} {
		got, err := diff.ParseType(tt.text)
		if err == nil || !strings.Contains(err.Error(), tt.want) || got != (diff.Type{}) {
			t.Errorf("%q: got %+v, %v, want an error with %q", tt.text, got, err, tt.want)
		}
	}
}
