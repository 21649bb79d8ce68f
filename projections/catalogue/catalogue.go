// Package catalogue lists all projections, so that whoever runs or rebuilds them cannot forget one.
package catalogue

import (
	"github.com/chatwatch/chatwatch/projections"
	"github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

var byName = map[string]func() projections.Projection{
	directory.Name: directory.New, staffing.Name: staffing.New, sessions.Name: sessions.New, transcript.Name: transcript.New,
	access.Name: access.New,
}

// Names of all projections, in the order in which All makes them.
func Names() []string {
	return []string{directory.Name, staffing.Name, sessions.Name, transcript.Name, access.Name}
}

// All makes one of each projection, for an engine that runs them together.
func All() []projections.Projection {
	var all []projections.Projection
	for _, name := range Names() {
		all = append(all, byName[name]())
	}
	return all
}

// New makes the projection of a name, for an engine that rebuilds it alone; false when there is none.
func New(name string) (projections.Projection, bool) {
	make, ok := byName[name]
	if !ok {
		return nil, false
	}
	return make(), true
}
