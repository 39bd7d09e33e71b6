package extract_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"jstsync/diff"
)

func TestShops_Witness(t *testing.T) {
	for _, tt := range []struct {
		name   string
		answer func(w http.ResponseWriter, a ask)
		alive  int
		gone   []int64
		reason string // then all are withheld
	}{
		{"some live", list(10), 2, []int64{11, 12}, ""},
		{"control missing", list(1), 0, nil, "shop 5, which exists, was asked for and not answered"},
		{"nothing", func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, page(1, 100, false)) }, 0, nil, "not answered"},
		{"filter ignored", func(w http.ResponseWriter, a ask) { a.ids = nil; list(10)(w, a) }, 0, nil, "not asked for"},
		{
			"promises more", func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, page(1, 100, true, shop(5))) },
			0, nil, "promises another page",
		},
		{
			"clamped", func(w http.ResponseWriter, _ ask) {
				fmt.Fprint(w, strings.Replace(page(1, 2, true, shop(1), shop(5)), `,"has_next":true`, "", 1))
			},
			0, nil, "promises another page",
		},
		{
			"no readable key",
			func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, page(1, 100, false, shop(5), `{"shop_id":"x"}`)) },
			0, nil, "no readable key",
		},
		{
			"record not an object",
			func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, page(1, 100, false, shop(5), `null`)) },
			0, nil, "no readable key",
		},
		{
			"unsound record with a key",
			func(w http.ResponseWriter, _ ask) {
				fmt.Fprint(w, page(1, 100, false, shop(5), `{"shop_id":1,"shop_name":"\ud800"}`))
			},
			1,
			[]int64{2, 11, 12},
			"",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, _ := serve(t, tt.answer)
			asked := keys(t, 1, 2, 11, 12)
			w, err := s.Witness(t.Context(), asked, keys(t, 5)[0])
			if err != nil {
				t.Fatal(err)
			}
			if len(w.Alive) != tt.alive || !slices.Equal(w.Gone, keys(t, tt.gone...)) {
				t.Errorf("got %d alive, gone %v; want %d, %v", len(w.Alive), w.Gone, tt.alive, tt.gone)
			}
			if tt.reason != "" && (!slices.Equal(w.Withheld, asked) || !strings.Contains(w.Reason, tt.reason)) {
				t.Errorf("got withheld %v for %q, want all for %q", w.Withheld, w.Reason, tt.reason)
			}
			if tt.reason == "" && (len(w.Withheld) > 0 || w.Reason != "") {
				t.Errorf("got withheld %v for %q, want none", w.Withheld, w.Reason)
			}
		})
	}
}

func TestShops_Witness_batches(t *testing.T) {
	var sizes []int
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		sizes = append(sizes, len(a.ids))
		if a.ids[len(a.ids)-1] != 1 {
			t.Errorf("the control is not asked for: %v", a.ids)
		}
		list(150)(w, a)
	})
	var asked []diff.Key
	for id := int64(2); id <= 230; id++ {
		asked = append(asked, keys(t, id)...)
	}
	w, err := s.Witness(t.Context(), asked, keys(t, 1)[0])
	if err != nil {
		t.Fatal(err)
	}
	if want := []int{100, 100, 32}; !slices.Equal(sizes, want) {
		t.Errorf("got calls for %v ids, want %v", sizes, want)
	}
	if len(w.Alive) != 149 || len(w.Gone) != 80 || len(w.Withheld) != 0 {
		t.Errorf("got %d alive, %d gone, %d withheld", len(w.Alive), len(w.Gone), len(w.Withheld))
	}
}

func TestShops_Witness_fullPage(t *testing.T) {
	s, _ := serve(t, func(w http.ResponseWriter, a ask) {
		var rows []string
		for _, id := range a.ids {
			rows = append(rows, shop(id))
		}
		fmt.Fprint(w, strings.Replace(page(1, 100, true, rows...), `,"has_next":true`, "", 1))
	})
	var asked []diff.Key
	for id := int64(2); id <= 100; id++ {
		asked = append(asked, keys(t, id)...)
	}
	w, err := s.Witness(t.Context(), asked, keys(t, 1)[0])
	if err != nil || len(w.Alive) != 99 || len(w.Withheld) != 0 {
		t.Errorf("got %d alive, %d withheld (%s), %v", len(w.Alive), len(w.Withheld), w.Reason, err)
	}
}

func TestShops_Witness_asksNothing(t *testing.T) {
	s, _ := serve(t, func(http.ResponseWriter, ask) { t.Error("a call was made") })
	w, err := s.Witness(t.Context(), keys(t, 1, 2), "")
	if err != nil || len(w.Withheld) != 2 || w.Reason == "" {
		t.Errorf("without a control: got %+v, %v", w, err)
	}
	w, err = s.Witness(t.Context(), nil, keys(t, 1)[0])
	if err != nil || len(w.Withheld)+len(w.Gone)+len(w.Alive) != 0 {
		t.Errorf("without keys: got %+v, %v", w, err)
	}
	text, err := diff.NewKey(diff.TextValue("a"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err = s.Witness(t.Context(), []diff.Key{text}, keys(t, 1)[0]); diff.CodeOf(err) != diff.CodeConfig {
		t.Errorf("text key: got %v", err)
	}
}

func TestShops_Witness_callFails(t *testing.T) {
	s, _ := serve(t, func(w http.ResponseWriter, _ ask) { fmt.Fprint(w, `{"code":190,"msg":"没有权限"}`) })
	if _, err := s.Witness(t.Context(), keys(t, 1), keys(t, 2)[0]); diff.CodeOf(err) != diff.CodeNoRight {
		t.Errorf("got %v", err)
	}
}
