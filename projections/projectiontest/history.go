package projectiontest

import (
	"fmt"
	"slices"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/profile"
	"github.com/chatwatch/chatwatch/domain/queue"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/domain/staff"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
)

// Secret stands in everything that a customer must never get.
const Secret = "SECRET"

// History writes a log by giving random commands to the deciders of the domain. Everything follows from Pick.
type History struct {
	Log *Log
	// Pick gives a number in [0, n).
	Pick func(n int) int

	Sessions map[domain.SessionID]session.State
	Staff    map[domain.StaffID]staff.State

	now    time.Time
	ids    []domain.SessionID
	people []session.Standing
	queues []session.QueueRef
	serial int
}

// Begin defines queues, profiles and staff.
func (h *History) Begin() {
	h.now = time.Date(2026, 3, 1, 22, 0, 0, 0, time.UTC)
	h.Sessions, h.Staff = map[domain.SessionID]session.State{}, map[domain.StaffID]staff.State{}
	var ids []domain.QueueID
	for i, id := range []domain.QueueID{"billing", "sales"} {
		s := queue.Settings{
			Name: "Queue " + string(id), ServiceLevelMS: 60_000, ShortAbandonMS: 20_000, OfferTimeoutMS: 30_000,
			WrapUpMS: domain.Millis(i * 30_000), AgentPrivateReply: queue.Always,
		}
		Append[queue.Event](h.Log, eventcodec.QueuePrefix+string(id), h.now, queue.QueueDefined{QueueID: id, Settings: s})
		h.queues = append(h.queues, session.QueueRef{
			ID: id, Name: s.Name, ServiceLevelMS: s.ServiceLevelMS, ShortAbandonMS: s.ShortAbandonMS, WrapUpMS: s.WrapUpMS,
		})
		ids = append(ids, id)
	}
	settings := profile.Settings{
		Name: "All", Chat: true, Supervisor: true, Monitor: true, MaxSessions: 3, Queues: ids, PullPolicy: profile.FirstDue, AllowDecline: true,
	}
	Append[profile.Event](h.Log, eventcodec.ProfilePrefix+"all", h.now, profile.ProfileDefined{ProfileID: "all", Settings: settings})
	for _, id := range []domain.StaffID{"anna-" + Secret, "ben-" + Secret, "sue-" + Secret, "tom-" + Secret} {
		ref := session.StaffRef{ID: id, Name: "Name of " + string(id[:3])}
		h.people = append(h.people, session.Standing{
			StaffRef: ref, LoggedIn: true, Chat: true, Supervisor: true, Monitor: true, AllowDecline: true, Queues: ids,
		})
		h.staff(id, staff.StaffRegistered{StaffID: id, Name: ref.Name, ProfileID: "all"})
		h.staff(id, staff.StaffLoggedIn{StaffID: id, ProfileID: "all", Status: staff.Available})
	}
}

func (h *History) staff(id domain.StaffID, events ...staff.Event) {
	for _, e := range events {
		h.Staff[id] = staff.Evolve(h.Staff[id], e)
		Append(h.Log, eventcodec.StaffPrefix+string(id), h.now, e)
	}
}

// Step gives one command, which may be refused.
func (h *History) Step() {
	h.now = h.now.Add(time.Duration(h.Pick(40_000)) * time.Millisecond)
	if h.Pick(40) == 0 {
		h.now = h.now.Add(time.Duration(h.Pick(4*60)) * time.Minute) // nothing happens for a while
	}
	h.serial++
	switch n := h.Pick(20); {
	case n == 0 || len(h.ids) == 0:
		h.request()
	case n == 1:
		h.duty()
	case n == 2:
		h.read()
	case n == 3 && h.Pick(2) == 0:
		h.configure()
	default:
		id := h.ids[len(h.ids)-1-h.Pick(min(len(h.ids), 6))] // mostly sessions that go on
		h.decide(id, h.command(h.Sessions[id]))
	}
}

func (h *History) request() {
	id := domain.SessionID(fmt.Sprintf("0198a000-0000-7000-8000-%012d", h.serial))
	h.ids = append(h.ids, id)
	h.decide(id, session.Request{
		SessionID: id, Queue: h.queues[h.Pick(len(h.queues))], At: h.now, Question: "a question",
		Customer: session.Customer{Name: "Customer", Email: Secret + "@example.org"},
	})
}

func (h *History) read() {
	id, by := h.ids[h.Pick(len(h.ids))], h.people[h.Pick(len(h.people))]
	for _, e := range access.Decide(access.Read{
		Reader: domain.Actor{ID: string(by.ID), Role: domain.RoleStaff}, Kind: access.OfTranscript, SessionID: id,
		As: domain.RoleSupervisor, Format: access.JSON, AccessedAt: h.now,
	}) {
		Append(h.Log, eventcodec.AccessPrefix+string(by.ID), h.now, e)
	}
}

func (h *History) duty() {
	p := h.people[h.Pick(len(h.people))]
	id := domain.SessionID(fmt.Sprintf("session-of-slot-%d", h.Pick(3)))
	commands := []staff.Command{
		staff.LogIn{Chat: true, Queues: 2}, staff.LogOut{}, staff.SetStatus{Status: staff.OnBreak, Reason: "lunch"},
		staff.SetStatus{Status: staff.Available},
		staff.Reserve{SessionID: id, ReservationID: "a", Purpose: staff.ForOffer, MaxSessions: 3},
		staff.Reserve{SessionID: id, ReservationID: "a", Purpose: staff.ForEngagement, MaxSessions: 3},
		staff.Reserve{SessionID: id, ReservationID: "a", Purpose: staff.ForMonitoring, MaxSessions: 3},
		staff.Release{SessionID: id, ReservationID: "a"},
	}
	events, err := staff.Decide(h.Staff[p.ID], commands[h.Pick(len(commands))])
	if err == nil {
		h.staff(p.ID, events...)
	}
}

// configure changes a queue, the profile, or the name or profile of a member.
func (h *History) configure() {
	name := fmt.Sprintf("Name %d", h.serial)
	p := h.people[h.Pick(len(h.people))]
	switch h.Pick(4) {
	case 0:
		q := &h.queues[h.Pick(len(h.queues))]
		q.Name = name
		Append[queue.Event](h.Log, eventcodec.QueuePrefix+string(q.ID), h.now, queue.QueueChanged{QueueID: q.ID, Settings: queue.Settings{
			Name: name, ServiceLevelMS: q.ServiceLevelMS, ShortAbandonMS: q.ShortAbandonMS, WrapUpMS: q.WrapUpMS,
		}})
	case 1:
		settings := profile.Settings{Name: name, MaxSessions: 1 + h.Pick(5), Queues: p.Queues[:h.Pick(len(p.Queues)+1)]}
		Append[profile.Event](h.Log, eventcodec.ProfilePrefix+"all", h.now, profile.ProfileChanged{ProfileID: "all", Settings: settings})
	case 2:
		h.staff(p.ID, staff.StaffRegistered{StaffID: p.ID, Name: name, ProfileID: "all"})
	default:
		h.staff(p.ID, staff.ProfileAssigned{StaffID: p.ID, ProfileID: domain.ProfileID("profile-" + p.ID)})
	}
}

func (h *History) decide(id domain.SessionID, c session.Command) {
	events, err := session.Decide(h.Sessions[id], c)
	if err != nil {
		return
	}
	if h.Pick(10) == 0 && len(events) > 0 {
		if redaction := h.redaction(id); redaction != nil {
			events = append(events, redaction)
		}
	}
	for _, e := range events {
		h.Sessions[id] = session.Evolve(h.Sessions[id], e)
	}
	Append(h.Log, eventcodec.SessionPrefix+string(id), h.now, events...)
}

// redaction takes back some message of a session.
func (h *History) redaction(id domain.SessionID) session.Event {
	var found []session.Event
	for _, e := range h.Log.Events() {
		if e.SessionID() != id {
			continue
		}
		switch m := e.Event.(type) {
		case session.PublicMessageSent:
			found = append(found, session.MessageRedacted{MessageID: m.MessageID, Revision: e.Revision, Visibility: session.Public, Reason: Secret})
		case session.PrivateMessageSent:
			found = append(found, session.MessageRedacted{MessageID: m.MessageID, Revision: e.Revision, Visibility: session.Private, Reason: Secret})
		}
	}
	if len(found) == 0 {
		return nil
	}
	return found[h.Pick(len(found))]
}

// command makes up something that somebody may want of a session.
func (h *History) command(s session.State) session.Command {
	by := h.people[h.Pick(len(h.people))]
	if s.Agent.ID != "" && h.Pick(2) == 0 { // mostly those whom it concerns
		i := slices.IndexFunc(h.people, func(p session.Standing) bool { return p.ID == s.Agent.ID })
		by = h.people[i]
	} else if len(s.Watchers) > 0 && h.Pick(2) == 0 {
		watcher := s.Watchers[h.Pick(len(s.Watchers))]
		i := slices.IndexFunc(h.people, func(p session.Standing) bool { return p.ID == watcher.ID })
		by = h.people[i]
	}
	message := fmt.Sprintf("m%d", h.serial)
	reservation := fmt.Sprintf("r%d-%s", h.serial, Secret)
	switch h.Pick(18) {
	case 0, 16:
		return session.OfferTo{Agent: by.StaffRef, ReservationID: reservation, ExpiresAt: h.now.Add(time.Minute)}
	case 1, 17:
		return session.Accept{By: by, ReservationID: reservation, At: h.now}
	case 2:
		return session.Decline{By: by}
	case 3:
		return session.ExpireOffer{ReservationID: s.Offer.ReservationID, Reason: session.OfferTimedOut}
	case 4, 5:
		return session.Send{MessageID: message, Visibility: session.Public, Text: "of the customer"}
	case 6, 7:
		return session.Send{By: &by, MessageID: message, Visibility: session.Public, Text: "of the staff"}
	case 8:
		return session.Send{By: &by, MessageID: message, Visibility: session.Private, Text: Secret, AgentPrivateReply: queue.Always}
	case 9, 10:
		return session.Watch{By: by, ReservationID: reservation, Reason: Secret}
	case 11:
		return session.Join{By: by, Announce: h.Pick(2) == 0}
	case 12:
		return session.RequestHelp{By: by, Note: Secret}
	case 13:
		return h.transfer(by, reservation)
	case 14:
		if h.Pick(4) > 0 {
			return session.Leave{By: &by, At: h.now}
		}
		return session.Leave{At: h.now}
	default:
		if h.Pick(3) > 0 {
			return session.EndWrapUp{}
		}
		return h.end(by)
	}
}

func (h *History) transfer(by session.Standing, reservation string) session.Command {
	if h.Pick(2) == 0 {
		return session.Transfer{By: by, ToQueue: &h.queues[h.Pick(len(h.queues))], At: h.now}
	}
	return session.Transfer{By: by, To: &h.people[h.Pick(len(h.people))], ReservationID: reservation, At: h.now}
}

func (h *History) end(by session.Standing) session.Command {
	switch h.Pick(4) {
	case 0:
		return session.Conclude{By: by, At: h.now}
	case 1:
		return session.Conclude{By: by, Disposition: Secret, At: h.now}
	default:
		return session.EndWrapUp{}
	}
}

// Readers are all kinds of readers of a session.
func (h *History) Readers() []session.Reader {
	readers := []session.Reader{{As: session.ToCustomer}, {As: session.ToSupervisor}, {As: session.ToAuditor}}
	for _, p := range h.people {
		readers = append(readers, session.Reader{As: session.ToAgent, StaffID: p.ID})
	}
	return readers
}
