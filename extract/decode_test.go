package extract_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"jstsync/diff"
	"jstsync/extract"
)

const captured = `{"msg":"执行成功","code":0,"data":{"datas":[{"group_name":"自有商城","created":"2023-01-03 09:43:26.487","co_id":12252,"session_uid":"4020541464018","shop_site":"商家自有商城","shop_name":"0103顺祥测试店铺mr.g","nick":"self_5018396669216298128","shop_id":10394533,"session_expired":"------永久授权------","group_id":707,"shop_url":null,"organization":null,"short_name":""}],"page_index":1,"has_next":false,"page_size":100}}`

func decode(t *testing.T, body string) *extract.Decoded {
	t.Helper()
	d, err := extract.Decode([]byte(body))
	if err != nil {
		t.Fatalf("decode %s: %v", body, err)
	}
	return d
}

// spell returns a record's members as text.
func spell(r diff.Record) string {
	var b strings.Builder
	for _, m := range r.Members {
		fmt.Fprintf(&b, "%s=%s;", m.Name, m.Raw)
	}
	return b.String()
}

func TestDecode_captured(t *testing.T) {
	d := decode(t, captured)
	if d.Code != 0 || d.Message != "执行成功" || d.PageSize != 100 || d.HasNext == nil || *d.HasNext {
		t.Errorf("got %+v", d)
	}
	if len(d.Rows) != 1 || len(d.Rows[0].Members) != 13 || d.Rows[0].Err != nil {
		t.Fatalf("got rows %v", d.Rows)
	}
	for name, want := range map[string]string{
		"shop_id": "10394533", "shop_url": "null", "short_name": `""`, "created": `"2023-01-03 09:43:26.487"`,
	} {
		if got := string(d.Rows[0].Member(name)); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

func TestDecode_places(t *testing.T) {
	row := `[{"a":1}]`
	for _, tt := range []struct {
		name, body string
		want       int
	}{
		{"data.datas", `{"code":0,"data":{"datas":` + row + `}}`, 1},
		{"data.shops", `{"code":0,"data":{"shops":` + row + `}}`, 1},
		{"shops", `{"shops":` + row + `,"code":0,"issuccess":true,"msg":null}`, 1},
		{"datas before shops", `{"code":0,"data":{"shops":[],"datas":` + row + `}}`, 1},
		{"datas null", `{"code":0,"data":{"datas":null}}`, 0},
		{"datas null beside shops", `{"code":0,"data":{"datas":null,"shops":` + row + `}}`, 1},
		{"code as text", `{"code":"0","data":{"datas":` + row + `}}`, 1},
		{"issuccess alone", `{"issuccess":true,"shops":` + row + `}`, 1},
		{"one BOM", "\xef\xbb\xbf" + `{"code":0,"data":{"datas":` + row + `}}`, 1},
		{"unknown members", `{"x":{"datas":[7,{}]},"code":0,"data":{"y":[[]],"datas":` + row + `}}`, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decode(t, tt.body)
			if got := len(d.Rows); got != tt.want {
				t.Fatalf("got %d rows, want %d", got, tt.want)
			}
			if tt.want == 1 && spell(d.Rows[0]) != "a=1;" {
				t.Errorf("got %s", spell(d.Rows[0]))
			}
		})
	}
}

func TestDecode_hasNext(t *testing.T) {
	yes, no := true, false
	for raw, want := range map[string]*bool{
		"true": &yes, "false": &no, "1": &yes, "0": &no, `"true"`: &yes, `"False"`: &no, `"1"`: &yes, `"0"`: &no,
		"null": nil, `""`: nil,
	} {
		d := decode(t, `{"code":0,"data":{"datas":[],"has_next":`+raw+`}}`)
		if (d.HasNext == nil) != (want == nil) || want != nil && *d.HasNext != *want {
			t.Errorf("has_next %s: got %v, want %v", raw, d.HasNext, want)
		}
	}
}

func TestDecode_errors(t *testing.T) {
	deep := strings.Repeat("[", extract.MaxDepth) + strings.Repeat("]", extract.MaxDepth)
	for _, tt := range []struct {
		name, body string
		want       extract.Class
		text       string
	}{
		{"empty", " ", extract.NotJSON, "empty"},
		{"HTML", "<html>", extract.NotJSON, "not JSON"},
		{"cut off", captured[:200], extract.NotJSON, "cut off"},
		{"more follows", captured + "{}", extract.NotJSON, "more follows"},
		{"two BOMs", "\xef\xbb\xbf\xef\xbb\xbf" + captured, extract.NotJSON, "not JSON"},
		{"array", "[]", extract.BadShape, "not an object"},
		{"no code", `{"data":{"datas":[]}}`, extract.BadShape, "no code"},
		{"code null", `{"code":null,"data":{"datas":[]}}`, extract.BadShape, "not a number"},
		{"contradiction", `{"code":0,"issuccess":false,"data":{"datas":[]}}`, extract.BadShape, "no success"},
		{"no rows", `{"code":0,"data":{"items":[]}}`, extract.BadShape, "no rows"},
		{"data null", `{"code":0,"data":null}`, extract.BadShape, "no rows"},
		{"rows are an object", `{"code":0,"data":{"datas":{}}}`, extract.BadShape, "data.datas is not an array"},
		{"has_next is an object", `{"code":0,"data":{"datas":[],"has_next":{}}}`, extract.BadShape, "has_next"},
		{"code twice", `{"code":0,"code":0,"data":{"datas":[]}}`, extract.BadShape, "code twice"},
		{"data twice", `{"code":0,"data":{"datas":[]},"data":{"datas":[]}}`, extract.BadShape, "data twice"},
		{"datas twice", `{"code":0,"data":{"datas":[],"datas":[]}}`, extract.BadShape, "data.datas twice"},
		{"deep envelope", `{"code":0,"x":` + deep + `,"data":{"datas":[]}}`, extract.BadShape, "deeper"},
		{"deep record", `{"code":0,"data":{"datas":[{"x":` + deep + `}]}}`, extract.BadShape, "deeper"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := extract.Decode([]byte(tt.body))
			if err == nil {
				t.Fatal("got no error")
			}
			if got := extract.ClassOf(err); got != tt.want {
				t.Errorf("got class %d, want %d", got, tt.want)
			}
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("got %q, want it to contain %q", err, tt.text)
			}
		})
	}
}

func TestDecode_failure(t *testing.T) {
	for _, body := range []string{
		`{"code":199,"msg":"调用频次超过限制!请稍后再试"}`,
		`{"code":"199","message":"调用频次超过限制!请稍后再试","data":null}`,
	} {
		if d := decode(t, body); d.Code != 199 || !strings.Contains(d.Message, "频次") {
			t.Errorf("got %+v", d)
		}
	}
}

func TestDecode_records(t *testing.T) {
	const sound = `{"a":1,"b":"x"}`
	for _, tt := range []struct {
		name, row string
		wrong     bool
		want      string
	}{
		{"plain", sound, false, `a=1;b="x";`},
		{"other names", `{"b":1,"c":2}`, false, `b=1;c=2;`},
		{"spaces", `{ "a" : 1 , "b" : [ 1 ] }`, false, `a=1;b=[ 1 ];`},
		{"escaped name", `{"\u0061":1,"b":2}`, false, `a=1;b=2;`},
		{"backslash in name", `{"a\\b":1}`, false, `a\b=1;`},
		{"pair of surrogates", `{"a":"\ud83d\ude00"}`, false, `a="\ud83d\ude00";`},
		{"big integer", `{"a":9007199254740993123}`, false, `a=9007199254740993123;`},
		{"nested", `{"a":{"x":1},"b":"{"}`, false, `a={"x":1};b="{";`},
		{"empty object", `{}`, false, ``},
		{"half a pair", `{"a":1,"b":"\ud83d"}`, true, `a=1;b="\ud83d";`},
		{"bad UTF-8", "{\"a\":1,\"b\":\"\xff\"}", true, "a=1;b=\"\xff\";"},
		{"bad UTF-8 in name", "{\"a\":1,\"b\xff\":2}", true, "a=1;b\uFFFD=2;"},
		{"half a pair in name", `{"a":1,"\ud83d":2}`, true, "a=1;\uFFFD=2;"},
		{"duplicate", `{"a":1,"b":2,"a":3}`, true, `a=1;b=2;a=3;`},
		{"duplicate without a name", `{"":1,"a":2,"":3}`, true, `=1;a=2;=3;`},
		{"duplicate by escape", `{"a":1,"\u0061":3}`, true, `a=1;a=3;`},
		{"duplicate in value", `{"a":{"x":1,"x":2}}`, true, `a={"x":1,"x":2};`},
		{"duplicate in list", `{"a":[{"x":1,"x":2}]}`, true, `a=[{"x":1,"x":2}];`},
		{"half a pair in list", `{"a":["\ud83d"]}`, true, `a=["\ud83d"];`},
		{"number", `7`, true, ``},
		{"null", `null`, true, ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := decode(t, `{"code":0,"data":{"datas":[`+sound+`,`+tt.row+`,`+tt.row+`,`+sound+`]}}`)
			if len(d.Rows) != 4 {
				t.Fatalf("got %d rows, want 4", len(d.Rows))
			}
			for i, r := range d.Rows {
				wrong, want := tt.wrong, tt.want
				if i == 0 || i == 3 {
					wrong, want = false, `a=1;b="x";`
				}
				if got := r.Err != nil; got != wrong || wrong && !errors.Is(r.Err, extract.ErrRecord) {
					t.Errorf("row %d: error %v, want one: %t", i, r.Err, wrong)
				}
				if got := spell(r); got != want {
					t.Errorf("row %d: got %s, want %s", i, got, want)
				}
			}
		})
	}
}

// What decodes agrees with the standard library wherever that accepts it.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(captured))
	f.Add([]byte(`{"code":"0","data":{"datas":[{"a":"\ud83d"},7,{"a":1,"a":2}],"has_next":1}}`))
	f.Add([]byte(`{"shops":[{"\u0061\\":[{"x":{}}]}],"issuccess":true}`))
	f.Add([]byte("\xef\xbb\xbf{\"code\":199,\"msg\":\"\xff\"}"))
	f.Fuzz(func(t *testing.T, body []byte) {
		before := string(body)
		d, err := extract.Decode(body)
		if string(body) != before {
			t.Fatal("the body was changed")
		}
		if err != nil {
			if c := extract.ClassOf(err); c != extract.NotJSON && c != extract.BadShape {
				t.Fatalf("class %d", c)
			} else if c == extract.NotJSON && json.Valid([]byte(strings.TrimPrefix(before, "\xef\xbb\xbf"))) {
				t.Fatalf("refused what is JSON: %v", err)
			}
			return
		}
		if !json.Valid([]byte(strings.TrimPrefix(before, "\xef\xbb\xbf"))) {
			t.Fatal("decoded what is not JSON")
		}
		for _, r := range d.Rows {
			names := make(map[string]bool)
			for _, m := range r.Members {
				if !json.Valid(m.Raw) {
					t.Errorf("member %q: %q is not JSON", m.Name, m.Raw)
				}
				if names[m.Name] && r.Err == nil {
					t.Errorf("member %q comes twice and is no error", m.Name)
				}
				names[m.Name] = true
			}
		}
	})
}

// Records with members in one order, and each in its own.
func BenchmarkDecode(b *testing.B) {
	row := captured[strings.Index(captured, `[{`)+2 : strings.Index(captured, `}],"page_index"`)]
	for _, order := range []string{"same", "shuffled"} {
		b.Run(order, func(b *testing.B) {
			r := rand.New(rand.NewPCG(1, 2))
			rows := make([]string, 100)
			for i := range rows {
				members := strings.Split(strings.Replace(row, "10394533", fmt.Sprint(10394533+i), 1), `,"`)
				members[0] = strings.TrimPrefix(members[0], `"`)
				if order == "shuffled" {
					r.Shuffle(len(members), func(i, j int) { members[i], members[j] = members[j], members[i] })
				}
				rows[i] = `{"` + strings.Join(members, `,"`) + `}`
			}
			body := []byte(page(1, 100, true, rows...))
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				if n, err := extract.DecodeAndRelease(body); n != len(rows) || err != nil {
					b.Fatal(n, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(rows)), "ns/record")
		})
	}
}

// A name is never taken for another whose content is spelled as it is.
func TestDecode_names(t *testing.T) {
	d := decode(t, `{"code":0,"data":{"datas":[{"a\\\\b":1},{"a\\b":1},{"a\\\\b":1}]}}`)
	for i, want := range []string{`a\\b=1;`, `a\b=1;`, `a\\b=1;`} {
		if got := spell(d.Rows[i]); got != want {
			t.Errorf("row %d: got %s, want %s", i, got, want)
		}
	}
}

// A name that the record before spelled with an escape is not read without it.
func TestDecode_quoteInName(t *testing.T) {
	for _, row := range []string{`{"a"b":1}`, "{\"a\tb\":1}"} {
		body := `{"code":0,"data":{"datas":[{"a\"b":1},{"a\tb":1},` + row + `]}}`
		if _, err := extract.Decode([]byte(body)); extract.ClassOf(err) != extract.NotJSON {
			t.Errorf("%s: got %v, want that it is not JSON", row, err)
		}
	}
}

// Wherever in a text a byte stands, and however long the text, it is judged as
// the standard library and the rules of UTF-8 judge it.
func TestDecode_everyPlace(t *testing.T) {
	for _, odd := range []string{`"`, `\`, `\n`, "\x00", "\x1f", " ", "\x7f", "\x80", "\xff", "中", "😀", "\xed\xa0\x80"} {
		for length := range 20 {
			for at := range length + 1 {
				text := strings.Repeat("x", at) + odd + strings.Repeat("y", length-at)
				body := `{"code":0,"data":{"datas":[{"a":1,"b":"` + text + `"}]}}`
				d, err := extract.Decode([]byte(body))
				if got, want := err == nil, json.Valid([]byte(body)); got != want {
					t.Fatalf("%q: decoded %t, want %t", body, got, want)
				}
				if err != nil {
					continue
				}
				if got, want := d.Rows[0].Err == nil, utf8.ValidString(text); got != want {
					t.Fatalf("%q: sound %t, want %t", body, got, want)
				}
				if got, want := spell(d.Rows[0]), `a=1;b="`+text+`";`; got != want {
					t.Fatalf("%q: got %s, want %s", body, got, want)
				}
			}
		}
	}
}

// Every text of up to four bytes that begin a character is judged as the
// standard library judges it.
func TestValidText(t *testing.T) {
	marks := []byte{0, 'a', 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf4, 0xf5, 0xff}
	var b [4]byte
	for _, b[0] = range marks {
		for _, b[1] = range marks {
			for _, b[2] = range marks {
				for _, b[3] = range marks {
					for n := range len(b) + 1 {
						if got, want := extract.ValidText(b[:n]), utf8.Valid(b[:n]); got != want {
							t.Fatalf("%x: got %t, want %t", b[:n], got, want)
						}
					}
				}
			}
		}
	}
}
