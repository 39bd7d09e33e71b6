package lang_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"jstsync/internal/lang"
)

func TestLanguage_Sentence(t *testing.T) {
	for _, tt := range []struct{ english, want string }{
		{"", ""},
		{"set this machine's clock (NTP)", "校准本机时钟（NTP）"},
		{"set this machine's clock (NTP): it is 300 s ahead of the API's", "校准本机时钟（NTP）：现在比接口服务器快 300 秒"},
		{
			"page 3: no answer from openapi.jushuitan.com: dial tcp 127.0.0.1:1: connect: connection refused",
			"第 3 页：没有收到 openapi.jushuitan.com 的响应：dial tcp 127.0.0.1:1: connect: 连接被拒绝",
		},
		{"run 7 of pipeline shops is unfinished", "管道 shops 的运行 #7 尚未完成"},
		{`there is no command "no answer from x"`, `没有命令 "no answer from x"`}, // what is quoted is nobody's sentence
		{`--format "a\"b" is neither text nor json`, `--format "a\"b" 既不是 text 也不是 json`},
		{"run jstsync auth init --source north, or set sources.north.access_token", "运行 jstsync auth init --source north，或设置 sources.north.access_token"},
		{"member created: \"2024-02-30\" is not a date (column created DATETIME(3))", "字段 created：\"2024-02-30\" 不是日期（列 created DATETIME(3)）"},
		{"nothing was written; run jstsync verify again", "没有写入任何数据；请再次运行 jstsync verify"},
		{"write /a directory/with blanks and so on", "write /a directory/with blanks and so on"}, // one word vouches for no others
		{"Error 1045 (28000): Access denied", "Error 1045 (28000): Access denied"},
		{"run x of pipeline shops is unfinished", "run x of pipeline shops is unfinished"}, // x is no number
	} {
		if got := lang.Chinese.Sentence(tt.english); got != tt.want {
			t.Errorf("%s\ngot  %s\nwant %s", tt.english, got, tt.want)
		}
	}
}

// Arguments are carried over as they stand, whatever they hold.
func TestLanguage_Sentence_property(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-z0-9_.%\[\]店铺-]{1,20}`).Draw(t, "name")
		number := rapid.IntRange(0, 1<<40).Draw(t, "number")
		english := lang.English.Sprintf("run %d of pipeline %s is still in doubt", number, name)
		want := lang.Chinese.Sprintf("run %d of pipeline %s is still in doubt", number, name)
		if got := lang.Chinese.Sentence(english); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

func FuzzLanguage_Sentence(f *testing.F) {
	for _, seed := range []string{"", ": ", "; ; ; ", "a: b; c\nd", "page 3: %s", "table a b: c d", strings.Repeat("a: ", 500), strings.Repeat("table a ", 500), `run "`, "\xff: \xfe"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if got := lang.English.Sentence(text); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		began := time.Now()
		once := lang.Chinese.Sentence(text)
		if again := lang.Chinese.Sentence(text); once != again {
			t.Errorf("got %q, then %q", once, again)
		}
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("%d bytes took %s", len(text), took)
		}
	})
}
