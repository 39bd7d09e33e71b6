package sandbox

import (
	"slices"
	"strings"
)

// Inject adds faults at the end of the list; it adds none when one is invalid.
func (s *Server) Inject(faults ...Fault) error {
	for _, f := range faults {
		if err := f.validate(); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, armAll(faults)...)
	return nil
}

// Faults are the faults still to come, with what is left of Skip and Times.
func (s *Server) Faults() []Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.faults)
}

// ClearFaults forgets the faults.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
}

// armAll makes the defaults of Times explicit.
func armAll(faults []Fault) []Fault {
	out := slices.Clone(faults)
	for i := range out {
		if out[i].Times == 0 {
			out[i].Times = 1
			if out[i].Probability > 0 {
				out[i].Times = -1
			}
		}
	}
	return out
}

// matches tells whether the call is one of those that meet the fault.
func (f Fault) matches(c *Call, byIDs bool) bool {
	path := f.Path
	if path == "" {
		path = PathShops
	}
	switch {
	case c.Path != path,
		f.Page != 0 && (byIDs || c.PageIndex != f.Page),
		f.Scope == ScopePages && byIDs,
		f.Scope == ScopeIDs && !byIDs,
		f.Kind.onlyIDs() && !byIDs,
		f.Kind == KindRepeatPage && c.PageIndex < 2:
		return false
	}
	return true
}

// takeFaults picks the faults that this call meets and uses them up: at most one
// transmission fault, at most one of each data kind. The caller holds s.mu.
func (s *Server) takeFaults(c *Call, byIDs bool) (wire *Fault, data []Fault) {
	var met []string
	for i := range s.faults {
		f := &s.faults[i]
		taken := f.Kind.wire() && wire != nil ||
			slices.ContainsFunc(data, func(d Fault) bool { return d.Kind == f.Kind })
		if taken || !f.matches(c, byIDs) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Probability > 0 && s.luck.Float64() >= f.Probability {
			continue
		}
		met = append(met, string(f.Kind))
		if f.Kind.wire() {
			copied := *f
			wire = &copied
		} else {
			data = append(data, *f)
		}
		if f.Times > 0 {
			f.Times--
		}
	}
	s.faults = slices.DeleteFunc(s.faults, func(f Fault) bool { return f.Times == 0 })
	c.Fault = strings.Join(met, "+")
	return wire, data
}
