package console

import (
	"cmp"
	"maps"
	"net/http"
	"slices"
	"time"
)

// apiView is how much the API was called.
type apiView struct {
	Budgets []budget
	Rate    int
}

// budget is what an app's calls are counted against.
type budget struct {
	Name      string
	Pipelines []string
	Quota     int // calls a day
	Chart     chart
	Days      []dayLine // newest first
	Items     []item
	Most      int // kinds that have a column of their own
}

// dayLine is a day's calls.
type dayLine struct {
	Date     string
	Calls    int
	Failed   int
	Share    string
	Percent  float64 // of the quota, for the bar
	Counts   []int   // by kind of call
	Other    int     // of other kinds
	Unlisted int     // of which only the sum is on record
}

// itemColumns is how many kinds of calls have a column.
const itemColumns = 6

func (c *Console) api(r *http.Request, p *page) (any, error) {
	p.Title = p.t("API use")
	if err := c.tally.refresh(r.Context(), p.now, p.settings.Zone); err != nil {
		return nil, err
	}
	v := apiView{Rate: int(100*c.o.RateUsed() + 0.5)}
	for i := range p.settings.Pipelines {
		pl := &p.settings.Pipelines[i]
		n := slices.IndexFunc(v.Budgets, func(b budget) bool { return b.Name == pl.Budget })
		if n < 0 {
			n = len(v.Budgets)
			v.Budgets = append(v.Budgets, budget{Name: pl.Budget, Quota: pl.Quota})
		}
		v.Budgets[n].Pipelines = append(v.Budgets[n].Pipelines, pl.Name)
	}
	for i := range v.Budgets {
		c.spend(p, &v.Budgets[i])
	}
	return v, nil
}

// spend fills in what became of a budget, day by day.
func (c *Console) spend(p *page, b *budget) {
	today, sums := dayOf(p.now, p.settings.Zone), map[item]int{}
	days := make([]use, tallyDays)
	for i := range days {
		days[i] = c.tally.used(b.Pipelines, today-int64(i))
		for it, n := range days[i].Items {
			sums[it] += n
		}
	}
	b.Items = slices.SortedFunc(maps.Keys(sums), func(x, y item) int {
		return cmp.Or(cmp.Compare(sums[y], sums[x]), cmp.Compare(x.Path, y.Path), cmp.Compare(x.Code, y.Code))
	})
	b.Items = b.Items[:min(len(b.Items), itemColumns)]
	columns := make([]column, len(days))
	for i, u := range days {
		date := time.Unix((today-int64(i))*86400, 0).UTC().Format(time.DateOnly)
		line := dayLine{Date: date, Calls: u.Calls, Failed: u.Failed}
		if b.Quota > 0 {
			line.Percent = 100 * float64(u.Calls) / float64(b.Quota)
			line.Share = percent(line.Percent)
		}
		line.Unlisted = u.Calls
		for _, n := range u.Items {
			line.Unlisted -= n
			line.Other += n
		}
		for _, it := range b.Items {
			line.Counts = append(line.Counts, u.Items[it])
			line.Other -= u.Items[it]
		}
		line.Unlisted = max(line.Unlisted, 0)
		columns[len(days)-1-i] = column{
			parts: []part{{float64(u.Failed), "d"}, {float64(u.Calls - u.Failed), "l"}},
			title: date + "  " + p.t("calls: %s", count(u.Calls)),
		}
		b.Days = append(b.Days, line)
	}
	b.Chart = newChart(p.t("Calls in each of the last 31 days"), columns)
	for len(b.Days) > 1 && b.Days[len(b.Days)-1].Calls == 0 { // before there was anything
		b.Days = b.Days[:len(b.Days)-1]
	}
}
