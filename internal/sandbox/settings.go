package sandbox

import "net/http"

// settings are the options that the control endpoint can change; nil leaves one
// as it is.
type settings struct {
	Pretty          *bool    `json:"pretty"`
	Table           *string  `json:"table"`
	PerSecond       *int     `json:"per_second"`
	PerMinute       *int     `json:"per_minute"`
	ServiceProvider *bool    `json:"service_provider"`
	Faults          *[]Fault `json:"faults"`
}

func (s *Server) settings() settings {
	faults := append([]Fault{}, s.Faults()...)
	s.mu.Lock()
	defer s.mu.Unlock()
	o, table := s.opt, s.opt.Table.String()
	return settings{
		Pretty: &o.Pretty, Table: &table, PerSecond: &o.PerSecond, PerMinute: &o.PerMinute,
		ServiceProvider: &o.ServiceProvider, Faults: &faults,
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
	s.change(in, table)
	return s.settings(), nil
}

func (s *Server) change(in settings, table ErrorTable) {
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
	if in.Faults != nil {
		s.faults = armAll(*in.Faults)
	}
}
