package sandbox

import (
	"fmt"
	"net/http"
	"time"
)

// settings are the options that the control endpoint can change; nil leaves one
// as it is.
type settings struct {
	Pretty          *bool    `json:"pretty"`
	Table           *string  `json:"table"`
	PerSecond       *int     `json:"per_second"`
	PerMinute       *int     `json:"per_minute"`
	ServiceProvider *bool    `json:"service_provider"`
	Ahead           *string  `json:"ahead"`
	Faults          *[]Fault `json:"faults"`
}

func (s *Server) settings() settings {
	faults := append([]Fault{}, s.Faults()...)
	s.mu.Lock()
	defer s.mu.Unlock()
	o, table, ahead := s.opt, s.opt.Table.String(), s.opt.Ahead.String()
	return settings{
		Pretty: &o.Pretty, Table: &table, PerSecond: &o.PerSecond, PerMinute: &o.PerMinute,
		ServiceProvider: &o.ServiceProvider, Ahead: &ahead, Faults: &faults,
	}
}

// controlOptions changes all the settings given, or none when one is wrong.
func (s *Server) controlOptions(r *http.Request) (any, error) {
	var in settings
	if err := decode(r, &in); err != nil {
		return nil, err
	}
	if in.Faults != nil {
		for _, f := range *in.Faults {
			if err := f.validate(); err != nil {
				return nil, err
			}
		}
	}
	var table ErrorTable
	if in.Table != nil {
		var err error
		if table, err = tableOf(*in.Table); err != nil {
			return nil, err
		}
	}
	var ahead time.Duration
	if in.Ahead != nil {
		var err error
		if ahead, err = time.ParseDuration(*in.Ahead); err != nil {
			return nil, fmt.Errorf("read ahead: %w", err)
		}
	}
	s.change(in, table, ahead)
	return s.settings(), nil
}

func (s *Server) change(in settings, table ErrorTable, ahead time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := &s.opt
	if in.Pretty != nil {
		o.Pretty = *in.Pretty
	}
	if in.Table != nil {
		o.Table = table
	}
	if in.PerSecond != nil {
		o.PerSecond = *in.PerSecond
	}
	if in.PerMinute != nil {
		o.PerMinute = *in.PerMinute
	}
	o.PerSecond, o.PerMinute = rateDefaults(o.PerSecond, o.PerMinute)
	if in.ServiceProvider != nil {
		o.ServiceProvider = *in.ServiceProvider
	}
	if in.Ahead != nil {
		o.Ahead = ahead
	}
	if in.Faults != nil {
		s.faults = armAll(*in.Faults)
	}
}
