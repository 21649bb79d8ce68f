package command_test

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/teststore"
)

// noon is when everything in these tests happens.
var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// world is a service over a store, with the queues billing and sales, and the profiles agent (billing, two
// sessions) and lead (supervisor of billing, five sessions).
type world struct {
	t     testing.TB
	ctx   context.Context
	store eventstore.Store
	*command.Service
}

func open(t testing.TB) eventstore.Store {
	t.Helper()
	return teststore.Open(t)
}

// service is a process on the store.
func service(t testing.TB, store eventstore.Store, shared bool) *command.Service {
	t.Helper()
	s, err := command.New(command.Config{Store: store, Log: slog.New(slog.DiscardHandler), Shared: shared})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func newWorld(t testing.TB) *world {
	t.Helper()
	store := open(t)
	w := &world{t: t, ctx: t.Context(), store: store, Service: service(t, store, false)}
	for _, id := range []domain.QueueID{"billing", "sales"} {
		w.must(w.DefineQueue(w.ctx, asAdmin(), id, queueSettings(string(id))))
	}
	w.profile("agent", agentProfile())
	w.profile("lead", leadProfile())
	return w
}

func queueSettings(name string) queue.Settings {
	return queue.Settings{
		Name: name, ServiceLevelMS: 30_000, ShortAbandonMS: 5_000, OfferTimeoutMS: 30_000, AgentPrivateReply: queue.AfterJoin,
	}
}

func agentProfile() profile.Settings {
	return profile.Settings{
		Name: "Agent", Chat: true, MaxSessions: 2, Queues: []domain.QueueID{"billing"}, PullPolicy: profile.FirstDue, AllowDecline: true,
	}
}

func leadProfile() profile.Settings {
	p := agentProfile()
	p.Name, p.Supervisor, p.Monitor, p.MaxSessions = "Lead", true, true, 5
	return p
}

// Requests. Each has an identity of its own and can be repeated.

func as(role domain.Role, id string) command.Request {
	return command.Request{ID: uuid.New(), Hash: "hash", Actor: domain.Actor{ID: id, Role: role}, At: noon}
}

func asAdmin() command.Request                  { return as(domain.RoleAdmin, "root") }
func asStaff(id domain.StaffID) command.Request { return as(domain.RoleStaff, string(id)) }
func asCustomer() command.Request               { return as(domain.RoleCustomer, "") }
func asSystem() command.Request                 { return as(domain.RoleSystem, domain.System.ID) }
func ignore[T any](_ T, err error) error        { return err }
func (w *world) must(_ any, err error)          { w.t.Helper(); w.ok(err) }
func (w *world) profile(id domain.ProfileID, p profile.Settings) {
	w.t.Helper()
	w.must(w.DefineProfile(w.ctx, asAdmin(), id, p))
}

func (w *world) ok(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// refused demands a refusal with a code.
func (w *world) refused(code domain.Code, err error) {
	w.t.Helper()
	if domain.CodeOf(err) != code {
		w.t.Errorf("got %v, want %s", err, code)
	}
}

// onDuty registers members with a profile and logs them in.
func (w *world) onDuty(p domain.ProfileID, ids ...domain.StaffID) {
	w.t.Helper()
	for _, id := range ids {
		w.must(w.RegisterStaff(w.ctx, asAdmin(), id, "Name of "+string(id), p))
		w.must(w.LogIn(w.ctx, asStaff(id), id, staff.Available))
	}
}

// waiting opens a session in billing.
func (w *world) waiting() domain.SessionID {
	w.t.Helper()
	id, _, err := w.RequestSession(w.ctx, asCustomer(), command.ChatRequest{
		QueueID: "billing", Customer: session.Customer{Name: "Cora"}, Question: "Help?",
	})
	w.ok(err)
	return id
}

// engaged opens a session that the agent has accepted.
func (w *world) engaged(agent domain.StaffID) domain.SessionID {
	w.t.Helper()
	id := w.waiting()
	w.must(w.Accept(w.ctx, asStaff(agent), id))
	return id
}

// watched opens a session that the agent serves and the supervisor monitors.
func (w *world) watched(agent, supervisor domain.StaffID) domain.SessionID {
	w.t.Helper()
	id := w.engaged(agent)
	w.must(w.Monitor(w.ctx, asStaff(supervisor), id, ""))
	return id
}

func (w *world) state(id domain.SessionID) session.State {
	w.t.Helper()
	v, err := w.Session(w.ctx, id)
	w.ok(err)
	return v.State
}

func (w *world) member(id domain.StaffID) staff.State {
	w.t.Helper()
	v, err := w.Member(w.ctx, id)
	w.ok(err)
	return v.State
}

// log decodes all that the store holds.
func (w *world) log() []eventcodec.Envelope {
	w.t.Helper()
	return readLog(w.t, w.store)
}

func readLog(t testing.TB, store eventstore.Store) []eventcodec.Envelope {
	t.Helper()
	var all []eventcodec.Envelope
	for r, err := range store.ReadAll(context.Background(), eventstore.Start, eventstore.Forwards, 0, eventstore.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		e, err := eventcodec.Decode(r)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

// types lists the wire names of the events of a stream.
func (w *world) types(stream string) []string {
	w.t.Helper()
	var names []string
	for _, e := range w.log() {
		if e.Stream == stream {
			names = append(names, e.Type)
		}
	}
	return names
}

// slots names what a member's slots are held for, by session.
func (w *world) slots(id domain.StaffID) map[domain.SessionID]staff.Purpose {
	w.t.Helper()
	held := map[domain.SessionID]staff.Purpose{}
	for _, s := range w.member(id).Slots {
		held[s.SessionID] = s.Purpose
	}
	return held
}

func number(prefix string, i int) domain.StaffID { return domain.StaffID(fmt.Sprint(prefix, i)) }

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

func show(v any) string { return fmt.Sprintf("%+v", v) }
