package extract_test

import (
	"encoding/json"
	"net/url"
	"os"
	"testing"

	"jstsync/extract"
)

type vector struct {
	Name   string            `json:"name"`
	Secret string            `json:"secret"`
	Params map[string]string `json:"params"`
	Sign   string            `json:"sign"`
}

func vectors(t *testing.T) []vector {
	t.Helper()
	b, err := os.ReadFile("../testdata/signature_vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var vs []vector
	if err := json.Unmarshal(b, &vs); err != nil {
		t.Fatal(err)
	}
	if len(vs) < 5 {
		t.Fatalf("got %d vectors, want 5 or more", len(vs))
	}
	return vs
}

func TestSign(t *testing.T) {
	for _, v := range vectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			if got := extract.Sign(v.Secret, v.Params); got != v.Sign {
				t.Errorf("got %s, want %s", got, v.Sign)
			}
			body, got := extract.EncodeForm(v.Secret, v.Params)
			if got != v.Sign {
				t.Errorf("form: got %s, want %s", got, v.Sign)
			}
			form, err := url.ParseQuery(body)
			if err != nil {
				t.Fatal(err)
			}
			if got := form.Get("sign"); got != v.Sign {
				t.Errorf("sign in form: got %s, want %s", got, v.Sign)
			}
			for name, want := range v.Params {
				if got := form.Get(name); got != want {
					t.Errorf("%s in form: got %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSign_ignoresEmptyAndSign(t *testing.T) {
	v := vectors(t)[0]
	v.Params["sign"], v.Params["state"] = "x", ""
	if got := extract.Sign(v.Secret, v.Params); got != v.Sign {
		t.Errorf("got %s, want %s", got, v.Sign)
	}
}

func TestSelfCheck(t *testing.T) {
	if err := extract.SelfCheck(); err != nil {
		t.Error(err)
	}
}
