package main

import (
	"strings"
	"time"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/config"
	"jstsync/internal/mapping"
	"jstsync/state"
)

// permanent is in what the vendor writes where an authorisation never ends.
const permanent = "永久授权"

// endOf reads when an authorisation ends. Of a text that is no date it never does.
func endOf(text string) (time.Time, bool) {
	at, ok := mapping.ParseDate(text)
	if !ok {
		return time.Time{}, false
	}
	return time.Date(at.Year(), at.Month(), at.Day(), at.Hour(), at.Minute(), at.Second(), 0, diff.Beijing), true
}

// most is how many shops with an authorisation that ends are looked at.
const most = 100_000

// authorizations returns the shops of the snapshot whose authorisation ends at
// some time; none when no column tells. One that is permanent never ends, and is
// returned when it was warned of.
func authorizations(path string, pl *config.Pipeline, warned func(shop string) bool) (found []alert.Shop, err error) {
	mapper, err := mapperOf(pl)
	if err != nil {
		return nil, err
	}
	columns := mapper.Table().Names()
	ends := mapper.ColumnOf("session_expired")
	if ends < 0 {
		return nil, nil
	}
	id, name := mapper.ColumnOf(mapping.ShopID), mapper.ColumnOf("shop_name")
	err = state.NewReader(path, pl.Name).Stored(columns, func(key diff.Key, row diff.Row, _ bool) error {
		text := row[ends].String()
		never := strings.Contains(text, permanent)
		shop := alert.Shop{ID: key.String()}
		if id >= 0 {
			shop.ID = row[id].String()
		}
		at, ok := endOf(text)
		if told := ok || never && warned(shop.ID); !told || len(found) == most {
			return nil
		}
		shop.Ends = at
		if name >= 0 && !row[name].IsNull() {
			shop.Name = row[name].String()
		}
		found = append(found, shop)
		return nil
	})
	return found, err
}
