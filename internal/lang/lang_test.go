package lang_test

import (
	"testing"

	"jstsync/internal/lang"
)

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		all, lang string
		want      lang.Language
	}{
		{"", "", lang.English},
		{"", "zh_CN.UTF-8", lang.Chinese},
		{"zh_TW", "en_US.UTF-8", lang.Chinese},
		{"C.UTF-8", "zh_CN.UTF-8", lang.English},
		{"", "en_US.UTF-8", lang.English},
	} {
		env := map[string]string{"LC_ALL": tt.all, "LANG": tt.lang}
		got := lang.Of(func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if got != tt.want {
			t.Errorf("LC_ALL=%q LANG=%q: got %q, want %q", tt.all, tt.lang, got, tt.want)
		}
	}
}

func TestLanguage_Sprintf(t *testing.T) {
	if got, want := lang.Chinese.Sprintf("%d records", 3), "3 条记录"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := lang.English.Sprintf("%d records", 3), "3 records"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := lang.Chinese.Sprintf("never seen: %s", "x"), "never seen: x"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
