package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Kind names a misbehaviour.
type Kind string

// Transmission faults: what happens to the answer on its way. A call meets at
// most one of them, the first in the list that matches.
const (
	// KindLatency delays the answer by Delay (250 ms).
	KindLatency Kind = "latency"
	// KindStall sends half of the body (or N bytes), waits for Delay and sends the
	// rest; without Delay it waits for the client to give up.
	KindStall Kind = "stall"
	// KindReset resets the connection instead of answering.
	KindReset Kind = "reset"
	// KindTruncate sends the first half of the body (or N bytes) as if it were all.
	KindTruncate Kind = "truncate"
	// KindWrongLength declares a Content-Length that is N (16) bytes more than the
	// body, or fewer when N is negative, and closes the connection after the body.
	KindWrongLength Kind = "wrong-length"
	// KindGzip sends the body compressed, asked for or not, with N bytes of white
	// space added before compressing.
	KindGzip Kind = "gzip"
	// KindPad adds N (1 MiB) bytes of white space to the body.
	KindPad Kind = "pad"
	// KindStatus answers HTTP Status (500) with a short text, and RetryAfter as
	// the Retry-After header when it is not empty.
	KindStatus Kind = "status"
	// KindHTML answers an HTML login page with Status (200).
	KindHTML Kind = "html"
	// KindCode answers Code (150) and Msg (内部处理异常).
	KindCode Kind = "code"
	// KindExpireToken ends the current access token and answers code 100.
	KindExpireToken Kind = "expire-token"
)

// Data faults: what the rows of a shop query look like. A call meets at most one
// of each kind, in the order of the list.
const (
	// KindHasNext answers Value as has_next; without Value, the opposite of the truth.
	KindHasNext Kind = "has-next"
	// KindEmptyPage answers no rows; has_next stays true to the data.
	KindEmptyPage Kind = "empty-page"
	// KindShortPage answers the first N (half) rows; has_next stays true to the data.
	KindShortPage Kind = "short-page"
	// KindRepeatPage answers the rows of the page before; page 1 is left alone.
	KindRepeatPage Kind = "repeat-page"
	// KindDuplicateID answers row Row a second time, with another shop_name.
	KindDuplicateID Kind = "duplicate-id"
	// KindNullRows answers `datas: null`.
	KindNullRows Kind = "null-rows"
	// KindRowsUnderShops answers the rows as data.shops.
	KindRowsUnderShops Kind = "rows-under-shops"
	// KindRowsOnTop answers the rows and the paging beside code, the rows as shops.
	KindRowsOnTop Kind = "rows-on-top"
	// KindClampPage makes pages of N (10) rows when more are asked for, and says so in page_size.
	KindClampPage Kind = "clamp-page"
	// KindIDsIgnored answers a shop_ids query as if it had no shop_ids.
	KindIDsIgnored Kind = "ids-ignored"
	// KindIDsClamped answers the first N (1) of the shop_ids, has_next true.
	KindIDsClamped Kind = "ids-clamped"
	// KindIDsExtra adds N (1) shops that were not asked for to a shop_ids query.
	KindIDsExtra Kind = "ids-extra"
	// KindIDsEmpty answers a shop_ids query with no rows.
	KindIDsEmpty Kind = "ids-empty"
	// KindBadKey answers Value as the shop_id of row Row; without Value, no shop_id.
	KindBadKey Kind = "bad-key"
	// KindLoneSurrogate ends the shop_name of row Row with \ud83d.
	KindLoneSurrogate Kind = "lone-surrogate"
	// KindDuplicateMember answers shop_name twice in row Row, with different values.
	KindDuplicateMember Kind = "duplicate-member"
)

// Scope restricts a fault to one sort of shop query.
type Scope string

const (
	// ScopeAll is every query.
	ScopeAll Scope = ""
	// ScopePages is ordinary queries.
	ScopePages Scope = "pages"
	// ScopeIDs is queries with shop_ids.
	ScopeIDs Scope = "ids"
)

// Fault is one misbehaviour and the calls that meet it: calls that passed all
// checks and whose parameters were readable. The zero values of Path, Scope and
// Page match every shop query.
type Fault struct {
	Kind Kind `json:"kind"`
	// Path is the path hit, PathShops by default.
	Path string `json:"path,omitempty"`
	// Scope restricts it to one sort of query.
	Scope Scope `json:"scope,omitempty"`
	// Page restricts it to ordinary queries for that page_index.
	Page int `json:"page,omitempty"`
	// Skip is how many matching calls pass unharmed first.
	Skip int `json:"skip,omitempty"`
	// Times is how many calls are hit; 0 is one, or no limit with a Probability;
	// negative is no limit.
	Times int `json:"times,omitempty"`
	// Probability, if positive, is the chance of a matching call to be hit.
	Probability float64 `json:"probability,omitempty"`

	// The parameters; each Kind says which it reads and, in brackets, their defaults.
	Delay      time.Duration   `json:"-"` // as text in JSON: "delay":"250ms"
	Status     int             `json:"status,omitempty"`
	RetryAfter string          `json:"retry_after,omitempty"`
	Code       int             `json:"code,omitempty"`
	Msg        string          `json:"msg,omitempty"`
	N          int             `json:"n,omitempty"`
	Row        int             `json:"row,omitempty"` // 0 is the first of the page
	Value      json.RawMessage `json:"value,omitempty"`
}

type plainFault Fault // without methods

// MarshalJSON spells Delay as text.
func (f Fault) MarshalJSON() ([]byte, error) {
	out := struct {
		plainFault
		Delay string `json:"delay,omitempty"`
	}{plainFault: plainFault(f)}
	if f.Delay != 0 {
		out.Delay = f.Delay.String()
	}
	return json.Marshal(out)
}

// UnmarshalJSON refuses unknown members.
func (f *Fault) UnmarshalJSON(data []byte) error {
	var in struct {
		plainFault
		Delay string `json:"delay"`
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&in); err != nil {
		return fmt.Errorf("read fault: %w", err)
	}
	*f = Fault(in.plainFault)
	if in.Delay == "" {
		return nil
	}
	delay, err := time.ParseDuration(in.Delay)
	if err != nil {
		return fmt.Errorf("read fault: delay: %w", err)
	}
	f.Delay = delay
	return nil
}

// Kinds are all kinds, transmission faults first.
func Kinds() []Kind { return append(wireKinds(), dataKinds()...) }

func wireKinds() []Kind {
	return []Kind{
		KindLatency, KindStall, KindReset, KindTruncate, KindWrongLength, KindGzip,
		KindPad, KindStatus, KindHTML, KindCode, KindExpireToken,
	}
}

func dataKinds() []Kind {
	return []Kind{
		KindHasNext, KindEmptyPage, KindShortPage, KindRepeatPage, KindDuplicateID,
		KindNullRows, KindRowsUnderShops, KindRowsOnTop, KindClampPage, KindIDsIgnored,
		KindIDsClamped, KindIDsExtra, KindIDsEmpty, KindBadKey, KindLoneSurrogate,
		KindDuplicateMember,
	}
}

func (k Kind) wire() bool { return slices.Contains(wireKinds(), k) }

// harmless kinds deliver the whole answer.
func (k Kind) harmless() bool { return k == KindLatency || k == KindGzip || k == KindPad }

// onlyIDs kinds make sense for queries with shop_ids alone.
func (k Kind) onlyIDs() bool {
	return k == KindIDsIgnored || k == KindIDsClamped || k == KindIDsExtra || k == KindIDsEmpty
}

// validate says what is wrong with the fault.
func (f Fault) validate() error {
	data := slices.Contains(dataKinds(), f.Kind)
	shops := f.Path == "" || f.Path == PathShops
	var wrong string
	switch {
	case !data && !f.Kind.wire():
		wrong = "unknown kind"
	case parametersOf(f.Path) == nil && f.Path != "":
		wrong = fmt.Sprintf("path %q is not served", f.Path)
	case !shops && (data || f.Page != 0 || f.Scope != ScopeAll):
		wrong = "path is no shop query"
	case f.Scope != ScopeAll && f.Scope != ScopePages && f.Scope != ScopeIDs:
		wrong = fmt.Sprintf("unknown scope %q", f.Scope)
	case f.Scope == ScopeIDs && f.Page != 0, f.Kind.onlyIDs() && (f.Page != 0 || f.Scope == ScopePages):
		wrong = "matches no query"
	case !(f.Probability >= 0 && f.Probability <= 1): // NaN as well
		wrong = "probability is not within 0 and 1"
	case f.Page < 0 || f.Skip < 0 || f.Row < 0 || f.Delay < 0:
		wrong = "negative page, skip, row or delay"
	case f.Status != 0 && (f.Status < 200 || f.Status > 599):
		wrong = "status is not within 200 and 599"
	case f.N < 0 && f.Kind != KindWrongLength:
		wrong = "negative n"
	default:
		return nil
	}
	return fmt.Errorf("check fault %q: %s", f.Kind, wrong)
}
