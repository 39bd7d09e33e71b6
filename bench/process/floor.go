package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"jstsync/internal/sandbox"
)

// floor is the least that can be done with the pages: fetch each with a signed
// call and throw it away.
func floor(ctx context.Context, args []string, now func() time.Time) error {
	flags := flag.NewFlagSet("floor", flag.ContinueOnError)
	address := flags.String("url", "", "where the page server is")
	pages := flags.Int("pages", 0, "how many pages there are")
	size := flags.Int("size", 100, "how many records a page has")
	width := flags.Int("width", 1, "how many calls are under way at once")
	if err := flags.Parse(args); err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: *width}}
	var next atomic.Int64
	var group sync.WaitGroup
	errs := make([]error, *width)
	for i := range *width {
		group.Go(func() {
			for errs[i] == nil {
				page := int(next.Add(1))
				if page > *pages {
					return
				}
				errs[i] = fetch(ctx, client, *address, page, *size, now())
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

func fetch(ctx context.Context, client *http.Client, address string, page, size int, at time.Time) error {
	form := url.Values{
		"access_token": {"sandbox-token"}, "app_key": {"sandbox-key"}, "charset": {"utf-8"}, "version": {"2"},
		"timestamp": {strconv.FormatInt(at.Unix(), 10)},
		"biz":       {fmt.Sprintf(`{"page_index":%d,"page_size":%d}`, page, size)},
	}
	form.Set("sign", sandbox.Sign("sandbox-secret", form))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/open/shops/query", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded;charset=UTF-8")
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("fetch page %d: HTTP %d", page, resp.StatusCode)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return err
}
