package catalogue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/readstore"
	"github.com/chatwatch/chatwatch/projections/catalogue"
	"github.com/chatwatch/chatwatch/projections/directory"
	"github.com/chatwatch/chatwatch/projections/projectiontest"
	"github.com/chatwatch/chatwatch/projections/sessions"
	"github.com/chatwatch/chatwatch/projections/snapshot"
	"github.com/chatwatch/chatwatch/projections/staffing"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// Every query that a reader has gives the same answer from both databases.
func TestBothDatabasesAnswerTheSame(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	h := &projectiontest.History{Log: &projectiontest.Log{Step: 50}, Pick: random.IntN}
	h.Begin()
	dbs, answers := map[string]readstore.DB{}, map[string]map[string]any{}
	for name, open := range projectiontest.Databases() {
		dbs[name] = open(t)
	}
	for range 3 { // from the second time on, states are loaded
		for range 200 {
			h.Step()
		}
		for _, db := range dbs {
			projectiontest.Apply(t, db, h.Log, catalogue.All()...)
		}
	}
	for name, db := range dbs {
		answers[name] = ask(t, db, h)
	}
	for question, want := range answers["SQLite"] {
		if diff := cmp.Diff(want, answers["PostgreSQL"][question]); diff != "" {
			t.Errorf("%s (-SQLite +PostgreSQL):\n%s", question, diff)
		}
	}
}

// ask puts all questions to a database.
func ask(t *testing.T, db readstore.DB, h *projectiontest.History) map[string]any {
	t.Helper()
	ctx, out, failed := context.Background(), map[string]any{}, error(nil)
	note := func(question string, answer any, err error) {
		out[question] = answer
		failed = errors.Join(failed, err)
	}
	events := h.Log.Events()
	first, last := events[0].Metadata.OccurredAt, events[len(events)-1].Metadata.OccurredAt
	config, people, reader := directory.NewReader(db), staffing.NewReader(db), sessions.NewReader(db)
	reports, texts := snapshot.NewReader(db), transcript.NewReader(db)
	ids := []domain.QueueID{"billing", "sales"}

	queues, err := config.Queues(ctx, "billing", 10)
	note("queues", queues, err)
	profiles, err := config.Profiles(ctx, "", 10)
	note("profiles", profiles, err)
	staff, err := people.Staff(ctx, "ben", 10)
	note("staff", staff, err)
	today, err := reader.Since(ctx, ids, first.Truncate(time.Hour))
	note("today", today, err)
	now, err := reports.Snapshot(ctx, ids[1:], last)
	note("snapshot", now, err)
	for at := first; at.Before(last); at = at.Add(last.Sub(first) / 20) {
		past, err := reports.SnapshotAt(ctx, nil, at)
		note("snapshot at "+at.String(), past, err)
		watched, err := reader.Supervision(ctx, sessions.SupervisionFilter{From: at, To: at.Add(time.Hour)}, 0, 100)
		note("supervision from "+at.String(), watched, err)
	}
	watched, err := reader.Supervision(ctx, sessions.SupervisionFilter{Queue: "sales", From: first}, 1000, 10)
	note("supervision of a queue", watched, err)
	scope := &sessions.Scope{Staff: h.Readers()[3].StaffID, Supervised: ids[:1], Serving: ids}
	for name, f := range map[string]sessions.Filter{
		"all": {}, "visible": {Visible: scope}, "of an agent": {Agent: scope.Staff, States: []session.Phase{session.Queued, session.Engaged}},
	} {
		list, err := reader.List(ctx, f, 1<<40, 30)
		note("sessions, "+name, list, err)
	}
	for id := range h.Sessions {
		one, err := reader.Session(ctx, id)
		note("session "+string(id), one, err)
		for _, as := range h.Readers() {
			entries, err := texts.Query(ctx, id, as, 2, 50)
			note(fmt.Sprint("transcript of ", id, " for ", as), entries, err)
		}
	}
	if failed != nil {
		t.Fatal(failed)
	}
	return out
}
