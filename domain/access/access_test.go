package access_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/domaintest"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

func TestWhoReadsWhatTheyDoNotWorkOnLeavesARecord(t *testing.T) {
	all := []access.Format{access.JSON, access.SSE, access.Text, access.CSV, access.HTML, access.Client}
	exports := []access.Format{access.Text, access.CSV, access.HTML}
	for name, c := range map[string]struct {
		role     domain.Role
		serves   bool
		recorded []access.Format
	}{
		"an auditor":                          {domain.RoleAuditor, false, all},
		"an administrator":                    {domain.RoleAdmin, false, all},
		"an administrator who serves":         {domain.RoleAdmin, true, all},
		"a supervisor, or an agent no more":   {domain.RoleStaff, false, all},
		"the agent of the session":            {domain.RoleStaff, true, exports},
		"the customer, whose own words it is": {domain.RoleCustomer, false, nil},
		"nobody":                              {"", false, nil},
		"the product itself":                  {domain.RoleSystem, false, nil},
	} {
		for _, format := range all {
			r := access.Read{Reader: domain.Actor{ID: "x", Role: c.role}, Kind: access.OfTranscript, Format: format, Serves: c.serves}
			if got, want := len(access.Decide(r)) == 1, slices.Contains(c.recorded, format); got != want {
				t.Errorf("%s reads %s: recorded is %v", name, format, got)
			}
		}
	}
}

func TestTheRecordSaysAllThatWasAsked(t *testing.T) {
	revision := uint64(0)
	got := access.Decide(access.Read{
		Reader: domain.Actor{ID: "iris", Role: domain.RoleAuditor}, Kind: access.OfReplay, SessionID: "s", QueueID: "help",
		As: domain.RoleAuditor, Format: access.JSON, Revision: &revision, At: &noon, AccessedAt: noon.Add(time.Hour),
	})
	want := []access.Event{access.AccessRecorded{
		ReaderID: "iris", ReaderRole: domain.RoleAuditor, Kind: access.OfReplay, SessionID: "s", QueueID: "help",
		As: domain.RoleAuditor, Format: access.JSON, Revision: &revision, At: &noon, AccessedAt: noon.Add(time.Hour),
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
	domaintest.CheckComplete(t, ".", "accessEvent", []access.Event{access.AccessRecorded{}})
}

func TestEveryKindIsListedOnce(t *testing.T) {
	kinds := access.Kinds()
	slices.Sort(kinds)
	if len(kinds) != 8 || len(slices.Compact(kinds)) != 8 {
		t.Errorf("%v", kinds)
	}
}
