package main

import (
	"bytes"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

const preamble = `<!-- Written by go generate ./internal/eventcodec. Do not edit. -->

# Events

Every event that is stored, by stream. The wire name is the event type in the log and never changes; the data is JSON. A
field that is optional is left out when it is empty. Beside the data stands the metadata, a flat map of strings:
` + "`$correlationId`, `$causationId`, `actor_id`, `actor_role`, `occurred_at`, `schema_version`, `command_id`, `request_hash`" + `,
and room for ` + "`previous_hash` and `key_id`" + `.

Who sees an event at all is declared in ` + "`domain/session/audience.go`" + `; what they get of it is in ` + "`view.go`" + `. The streams of
staff, profiles and queues are for administration and audit, those of accesses for audit alone: nobody in a session sees them.
`

// render makes the page.
func render(root string) ([]byte, error) {
	s, err := read(root)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	page.WriteString(preamble)
	prefix := ""
	used := map[string]bool{}
	for _, d := range eventcodec.Catalogue() {
		if d.Prefix != prefix {
			prefix = d.Prefix
			fmt.Fprintf(&page, "\n## Stream `%s<id>`\n", prefix)
		}
		st, ok := s.structures[d.Type.String()]
		if !ok {
			return nil, fmt.Errorf("the source has no %s", d.Type)
		}
		fmt.Fprintf(&page, "\n### %s\n\n%s\n\nVersion %d.", d.Name, st.doc, d.Version)
		if e, ok := reflect.Zero(d.Type).Interface().(session.Event); ok {
			fmt.Fprintf(&page, " Seen by: %s.", audience(e))
		}
		page.WriteString("\n")
		table(&page, st, used)
	}
	types(&page, s, used)
	return page.Bytes(), nil
}

// audience names who sees an event, with the condition where it depends on its contents.
func audience(e session.Event) string {
	yes, condition := e, ""
	switch e.(type) {
	case session.SupervisorJoined:
		yes, condition = session.SupervisorJoined{Announced: true}, " (when announced)"
	case session.MessageRedacted:
		yes, condition = session.MessageRedacted{Visibility: session.Public}, " (of a public message)"
	}
	always, sometimes := session.AudienceOf(e), session.AudienceOf(yes)
	var who []string
	for _, a := range []struct {
		member session.Audience
		name   string
	}{
		{session.ToCustomer, "customer"}, {session.ToAgent, "agent in the session"}, {session.ToOwnAgent, "the agent concerned"},
		{session.ToSupervisor, "supervisors watching"}, {session.ToAuditor, "auditors"},
	} {
		switch {
		case always&a.member != 0:
			who = append(who, a.name)
		case sometimes&a.member != 0:
			who = append(who, a.name+condition)
		}
	}
	return strings.Join(who, ", ")
}

var link = regexp.MustCompile(`\[([a-z]+\.[A-Z]\w*)\]`)

// table writes the fields of a structure and notes the types that they name.
func table(page *bytes.Buffer, st structure, used map[string]bool) {
	if len(st.fields) == 0 {
		return
	}
	page.WriteString("\n| Field | Type | |\n|---|---|---|\n")
	for _, f := range st.fields {
		kind := f.kind
		for _, m := range link.FindAllStringSubmatch(kind, -1) {
			used[m[1]] = true
		}
		if f.optional {
			kind += ", optional"
		}
		fmt.Fprintf(page, "| `%s` | %s | %s |\n", f.name, kind, f.doc)
	}
}

// types writes the structures that the events are made of, and those that these are made of.
func types(page *bytes.Buffer, s source, used map[string]bool) {
	page.WriteString("\n## Types\n")
	written := map[string]bool{}
	for {
		next := slices.DeleteFunc(slices.Sorted(maps.Keys(used)), func(name string) bool { return written[name] })
		if len(next) == 0 {
			return
		}
		st := s.structures[next[0]]
		written[next[0]] = true
		fmt.Fprintf(page, "\n### %s\n\n%s\n", next[0], st.doc)
		table(page, st, used)
	}
}
