package access_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/internal/readstore"
	projection "github.com/chatwatch/chatwatch/projections/access"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
)

var (
	t0  = time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)
	ctx = context.Background()
)

func at(seconds int) time.Time { return t0.Add(time.Duration(seconds) * time.Second) }

// read appends that somebody read something, some seconds after the beginning.
func read(log *projectiontest.Log, who string, second int, kind access.Kind, session domain.SessionID) {
	projectiontest.Append[access.Event](log, "access-"+who, at(second), access.AccessRecorded{
		ReaderID: who, ReaderRole: domain.RoleAuditor, Kind: kind, SessionID: session, Format: access.JSON, AccessedAt: at(second),
	})
}

func TestARowSaysAllThatTheEventSays(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	revision, past := uint64(0), at(-60)
	projectiontest.Append[access.Event](log, "access-iris", at(1), access.AccessRecorded{
		ReaderID: "iris", ReaderRole: domain.RoleAuditor, Kind: access.OfReplay, SessionID: "s", QueueID: "help", As: domain.RoleAuditor,
		Format: access.JSON, Revision: &revision, At: &past, AccessedAt: at(0),
	})
	read(log, "iris", 1, access.OfSupervision, "")
	projectiontest.Apply(t, db, log, projection.New())
	read(log, "iris", 2, access.OfAccess, "") // each engine knows nothing but the table
	projectiontest.Apply(t, db, log, projection.New())

	got, err := projection.NewReader(db).List(ctx, projection.Filter{}, projection.Place{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	zero, iris := int64(0), domain.Actor{ID: "iris", Role: domain.RoleAuditor}
	want := []projection.Access{
		{Key: 3, AccessedAt: at(2), Reader: iris, Kind: access.OfAccess, Format: access.JSON},
		{Key: 2, AccessedAt: at(1), Reader: iris, Kind: access.OfSupervision, Format: access.JSON},
		{
			Key: 1, AccessedAt: at(0), Reader: iris, Kind: access.OfReplay, SessionID: "s", QueueID: "help", As: domain.RoleAuditor,
			Format: access.JSON, ReplayRevision: &zero, ReplayAt: past,
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if parked := projectiontest.Dump(t, db, projection.New())["parked_event"]; len(parked) > 0 {
		t.Errorf("parked: %s", parked)
	}
}

func TestReadingsAreFoundByReaderSessionKindAndTimeAPageAtATime(t *testing.T) {
	db, log := projectiontest.Open(t), &projectiontest.Log{}
	kinds, sessions := []access.Kind{access.OfTranscript, access.OfEvents}, []domain.SessionID{"a", "b", "c"}
	var all []projection.Filter // of each reading what it is, by its time
	for i := range 60 {
		f := projection.Filter{Reader: fmt.Sprint("r", i%5), Session: sessions[i%3], Kind: kinds[i%2]}
		read(log, f.Reader, i/2, f.Kind, f.Session) // two at the same time
		all = append(all, f)
	}
	projectiontest.Apply(t, db, log, projection.New())
	reader := projection.NewReader(db)
	for name, f := range map[string]projection.Filter{
		"all": {}, "reader": {Reader: "r3"}, "session": {Session: "b"}, "kind": {Kind: access.OfEvents},
		"reader and kind": {Reader: "r3", Kind: access.OfEvents}, "session and reader": {Session: "b", Reader: "r3"},
		"everything": {Session: "b", Reader: "r1", Kind: access.OfEvents, From: at(3), To: at(25)},
		"from":       {From: at(20)}, "to": {To: at(20)}, "none": {Reader: "nobody"},
	} {
		var want, got []int64
		for i := len(all) - 1; i >= 0; i-- {
			a, when := all[i], at(i/2)
			if (f.Reader == "" || f.Reader == a.Reader) && (f.Session == "" || f.Session == a.Session) && (f.Kind == "" || f.Kind == a.Kind) &&
				!when.Before(f.From) && (f.To.IsZero() || when.Before(f.To)) {
				want = append(want, int64(i+1))
			}
		}
		for after := (projection.Place{}); ; {
			page, err := reader.List(ctx, f, after, 3)
			if err != nil {
				t.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			for _, a := range page {
				got = append(got, a.Key)
			}
			after = page[len(page)-1].Place()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// noted keeps the last query.
type noted struct {
	readstore.Queryer
	query string
	args  []any
}

func (n *noted) Query(ctx context.Context, query string, args ...any) (readstore.Rows, error) {
	n.query, n.args = query, args
	return n.Queryer.Query(ctx, query, args...)
}

func TestNoPageCostsWithTheHistory(t *testing.T) {
	db := projectiontest.Open(t)
	const page = "accessed_at>? AND accessed_at<?)"
	for index, f := range map[string]projection.Filter{
		"fact_access_by_time (" + page:                                       {From: t0},
		"fact_access_by_reader (reader_id=? AND " + page:                     {Reader: "r", From: t0, To: at(1)},
		"fact_access_by_kind (kind=? AND " + page:                            {Kind: "k", From: t0, To: at(1)},
		"fact_access_by_reader_and_kind (reader_id=? AND kind=? AND " + page: {Reader: "r", Kind: "k", From: t0},
		"fact_access_by_session (session_id=? AND " + page:                   {Session: "s", Reader: "r", Kind: "k", From: t0},
		"fact_access_by_session (session_id=? AND accessed_at<?)":            {Session: "s", Kind: "k"},
		"fact_access_by_time (accessed_at<?)":                                {},
	} {
		n := &noted{Queryer: db}
		if _, err := projection.NewReader(n).List(ctx, f, projection.Place{At: t0, Key: 7}, 10); err != nil {
			t.Fatal(err)
		}
		rows, err := db.Query(ctx, "EXPLAIN QUERY PLAN "+n.query, n.args...)
		plan, err := readstore.Collect(rows, err, func(rows readstore.Rows) (detail string, err error) {
			var id, parent, unused int
			err = rows.Scan(&id, &parent, &unused, &detail)
			return detail, err
		})
		if text := strings.Join(plan, "; "); err != nil || !strings.Contains(text, index) || strings.Contains(text, "TEMP B-TREE") {
			t.Errorf("%+v: %s (%v)", f, text, err)
		}
	}
}
