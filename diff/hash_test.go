package diff_test

import (
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"jstsync/diff"
)

// hashOf adds name and raw value in turn.
func hashOf(members ...string) diff.SourceHash {
	var h diff.SourceHash
	for i := 0; i < len(members); i += 2 {
		h = h.Add(members[i], []byte(members[i+1]))
	}
	return h
}

func TestSourceHash_Add(t *testing.T) {
	for _, tt := range []struct {
		name string
		a, b diff.SourceHash
		same bool
	}{
		{"order of members", hashOf("a", "1", "b", "2"), hashOf("b", "2", "a", "1"), true},
		{"null and missing", hashOf("a", "1", "b", "null"), hashOf("a", "1"), false},
		{"null and empty text", hashOf("a", "null"), hashOf("a", `""`), false},
		{"missing and empty text", hashOf("a", "1", "b", `""`), hashOf("a", "1"), false},
		{"null and the text null", hashOf("a", "null"), hashOf("a", `"null"`), false},
		{"number and text", hashOf("a", "1"), hashOf("a", `"1"`), false},
		{"name runs into value", hashOf("ab", "1"), hashOf("a", "b1"), false},
		{"value runs into name", hashOf("a", "1", "b", "2"), hashOf("a", "1b", "", "2"), false},
		{"values exchanged", hashOf("a", "1", "b", "2"), hashOf("a", "2", "b", "1"), false},
		{"name and value exchanged", hashOf("a", "b"), hashOf("b", "a"), false},
		{"neighbours above 2^53", hashOf("id", "9007199254740993"), hashOf("id", "9007199254740992"), false},
		{"two of a kind", hashOf("a", "1", "a", "1"), hashOf("a", "1"), false},
		{"spelling", hashOf("a", `"中"`), hashOf("a", `"\u4e2d"`), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.a == tt.b; got != tt.same {
				t.Errorf("hashes equal: got %t, want %t", got, tt.same)
			}
		})
	}
	t.Run("definition", func(t *testing.T) {
		// A change of these needs a new HashVersion.
		if got, want := hashOf("shop_id", "1", "shop_name", `"a"`), diff.SourceHash(9897475312112031716); got != want || diff.HashVersion != 2 {
			t.Errorf("got %d under version %d, want %d under 2", got, diff.HashVersion, want)
		}
	})
}

func TestSourceHash_OrderProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.SliceOfN(rapid.StringN(0, 8, -1), 0, 8).Draw(t, "members")
		order := rapid.Permutation(members).Draw(t, "order")
		var a, b diff.SourceHash
		for _, m := range members {
			a = a.Add("n"+m, []byte(m))
		}
		for _, m := range order {
			b = b.Add("n"+m, []byte(m))
		}
		if a != b {
			t.Fatalf("order matters: %v and %v", members, order)
		}
	})
}

// Every digit of an integer counts, which RFC 8785 would not grant.
func TestSourceHash_Digits(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		digits := []byte(strconv.FormatInt(rapid.Int64Range(1e17, 9e18).Draw(t, "n"), 10))
		want := hashOf("id", string(digits))
		i := rapid.IntRange(0, len(digits)-1).Draw(t, "digit")
		digits[i] = '0' + (digits[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if hashOf("id", string(digits)) == want {
			t.Fatalf("a change of digit %d to %s does not change the hash", i, digits)
		}
	})
}

// A hasher agrees with the sum over what is wanted, whatever names it met
// before, more of them than it remembers.
func TestHasher_Hash(t *testing.T) {
	wanted := func(name string) bool { return len(name) != 3 }
	h := diff.NewHasher(wanted)
	rapid.Check(t, func(t *rapid.T) {
		var want diff.SourceHash
		var members []diff.Member
		for range rapid.IntRange(0, 40).Draw(t, "members") {
			m := diff.Member{
				Name: rapid.StringMatching(`[ab_]{0,12}`).Draw(t, "name"),
				Raw:  []byte(rapid.StringMatching(`"[a-z中]{0,40}"|[0-9]{1,20}|null`).Draw(t, "raw")),
			}
			if members = append(members, m); wanted(m.Name) {
				want = want.Add(m.Name, m.Raw)
			}
		}
		if got := h.Hash(members); got != want {
			t.Fatalf("got %d, want %d, over %v", got, want, members)
		}
	})
}
