package console

import (
	"math"
	"time"
)

// chart is a small picture of bars, drawn in units of its own.
type chart struct {
	Width, Height int
	Bars          []bar
	Label         string // what it shows, for who cannot see it
}

type bar struct {
	X, Y, Width, Height float64
	Class, Title        string
}

// chartHeight is that of small charts, and barWidth how wide a bar and the gap
// behind it are.
const (
	chartHeight = 36
	barWidth    = 7
	barGap      = 2
)

// column is a bar of several parts, the lowest first.
type column struct {
	parts []part
	title string
}

type part struct {
	n     float64
	class string
}

// newChart draws columns beside one another, the greatest as high as there is
// room. What is there at all is seen.
func newChart(label string, columns []column) chart {
	c := chart{Width: len(columns)*(barWidth+barGap) - barGap, Height: chartHeight, Label: label}
	most := 0.0
	for _, col := range columns {
		most = max(most, col.sum())
	}
	for i, col := range columns {
		x, y := float64(i*(barWidth+barGap)), float64(chartHeight)
		for _, p := range col.parts {
			if p.n <= 0 {
				continue
			}
			h := max(2, math.Round(10*p.n/most*(chartHeight-2))/10)
			y = max(0, y-h)
			c.Bars = append(c.Bars, bar{x, y, barWidth, h, p.class, col.title})
		}
		if col.sum() == 0 {
			c.Bars = append(c.Bars, bar{x, chartHeight - 1, barWidth, 1, "none", col.title})
		}
	}
	return c
}

func (c column) sum() (sum float64) {
	for _, p := range c.parts {
		sum += p.n
	}
	return sum
}

// changesChart shows what changed in each of the last hours.
func (p *page) changesChart(hours []hour) (chart, int) {
	columns, sum := make([]column, len(hours)), 0
	for i, h := range hours {
		n := h.Insert + h.Update + h.Delete
		sum += n
		columns[i] = column{
			parts: []part{{float64(h.Delete), "d"}, {float64(h.Update), "u"}, {float64(h.Insert), "i"}},
			title: p.hourOf(i, len(hours)) + "  " + p.t("changes: %s", count(n)),
		}
	}
	return newChart(p.t("Changes in each of the last 24 hours"), columns), sum
}

// latencyChart shows how long calls took in each of the last hours.
func (p *page) latencyChart(hours []hour) (c chart, mean time.Duration) {
	columns := make([]column, len(hours))
	var sum hour
	for i, h := range hours {
		sum.Calls += h.Calls
		sum.Total += h.Total
		title := p.hourOf(i, len(hours)) + "  " + p.t("no calls")
		if h.Calls > 0 {
			each := h.Total / time.Duration(h.Calls)
			columns[i].parts = []part{{float64(each), "l"}}
			title = p.hourOf(i, len(hours)) + "  " + p.t("calls: %s, %s on average", count(h.Calls), took(each))
		}
		columns[i].title = title
	}
	if sum.Calls > 0 {
		mean = sum.Total / time.Duration(sum.Calls)
	}
	return newChart(p.t("Mean duration of API calls in each of the last 24 hours"), columns), mean
}

func (p *page) hourOf(i, of int) string {
	return p.now.Truncate(time.Hour).Add(time.Duration(i-of+1) * time.Hour).In(p.settings.Zone).Format("01-02 15:04")
}
