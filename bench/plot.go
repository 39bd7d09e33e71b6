package main

import (
	"fmt"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	_ "gonum.org/v1/plot/vg/vgsvg" // the format
)

// The plots stand beside the page.
const (
	plotCPU    = "performance-cpu.svg"
	plotMemory = "performance-memory.svg"
)

// plots draws the plots into dir.
func (r *report) plots(dir string) error {
	names := []string{firstLoad, changedTen, changedFew, quietMixed, quietPoll, floorOne}
	err := r.plot(filepath.Join(dir, plotCPU), "CPU time a record", "microseconds", names, func(s *series, name string) float64 {
		return s.median(name, cpu) * 1000 / float64(s.records)
	})
	if err != nil {
		return err
	}
	return r.plot(filepath.Join(dir, plotMemory), "Peak memory", "MiB", names, func(s *series, name string) float64 { return s.median(name, peak) })
}

// plot draws a figure by the number of records, both logarithmic.
func (r *report) plot(file, title, unit string, names []string, of func(*series, string) float64) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = title, "records", unit
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, name := range names {
		var points plotter.XYs
		for _, s := range r.sizes {
			if y := of(s, name); y > 0 {
				points = append(points, plotter.XY{X: float64(s.records), Y: y})
			}
		}
		if len(points) == 0 {
			continue
		}
		line, marks, err := plotter.NewLinePoints(points)
		if err != nil {
			return fmt.Errorf("plot %s: %w", name, err)
		}
		line.Color, marks.Color = plotutil.Color(i), plotutil.Color(i)
		marks.Shape = plotutil.Shape(i)
		p.Add(line, marks)
		p.Legend.Add(name, line, marks)
	}
	if err := p.Save(18*vg.Centimeter, 11*vg.Centimeter, file); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return nil
}
