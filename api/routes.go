package api

import (
	"net/http"

	"github.com/chatwatch/chatwatch/domain"
)

const (
	get  = http.MethodGet
	put  = http.MethodPut
	post = http.MethodPost
)

// Who may call an operation at all.
var (
	admins     = []domain.Role{domain.RoleAdmin}
	auditors   = []domain.Role{domain.RoleAuditor}
	working    = []domain.Role{domain.RoleStaff, domain.RoleAdmin}
	inside     = []domain.Role{domain.RoleStaff, domain.RoleAdmin, domain.RoleAuditor}
	talking    = []domain.Role{domain.RoleStaff, domain.RoleAdmin, domain.RoleCustomer}
	everybody  = []domain.Role{domain.RoleStaff, domain.RoleAdmin, domain.RoleAuditor, domain.RoleCustomer}
	pagination = []parameter{{"limit", "1 to 500; 100 when left out"}, {"cursor", "next_cursor of the page before"}}
)

// operations below Base.
func (s *server) operations() []operation {
	var all []operation
	for _, some := range [][]operation{configurationOperations, dutyOperations, sessionOperations, readingOperations, reportOperations, auditOperations} {
		all = append(all, some...)
	}
	return all
}

var configurationOperations = []operation{
	{id: "put-queue", method: put, path: "/queues/{id}", tag: "configuration", summary: "Define or change a queue",
		roles: admins, takes: queueBody{}, gives: queueResource{}, handle: putQueue},
	{id: "read-queue", method: get, path: "/queues/{id}", tag: "configuration", summary: "Read a queue",
		roles: inside, gives: queueResource{}, handle: getQueue},
	{id: "list-queues", method: get, path: "/queues", tag: "configuration", summary: "List queues",
		roles: inside, query: pagination, gives: list[queueResource]{}, handle: listQueues},
	{id: "put-profile", method: put, path: "/profiles/{id}", tag: "configuration", summary: "Define or change a profile",
		roles: admins, takes: profileBody{}, gives: profileResource{}, handle: putProfile},
	{id: "read-profile", method: get, path: "/profiles/{id}", tag: "configuration", summary: "Read a profile: one's own, or any as a supervisor",
		roles: inside, gives: profileResource{}, handle: getProfile},
	{id: "list-profiles", method: get, path: "/profiles", tag: "configuration", summary: "List profiles, for supervisors",
		roles: inside, query: pagination, gives: list[profileResource]{}, handle: listProfiles},
	{id: "put-staff", method: put, path: "/staff/{id}", tag: "configuration", summary: "Register a staff member or change their profile",
		roles: admins, takes: staffBody{}, gives: staffResource{}, handle: putStaff},
	{id: "read-staff", method: get, path: "/staff/{id}", tag: "configuration", summary: "Read a staff member: oneself as me, or any as a supervisor",
		roles: inside, gives: staffResource{}, handle: getStaff},
	{id: "list-staff", method: get, path: "/staff", tag: "configuration", summary: "List the staff, for supervisors",
		roles: inside, query: pagination, gives: list[staffResource]{}, handle: listStaff},
}

var dutyOperations = []operation{
	{id: "log-in", method: post, path: "/staff/{id}/login", tag: "duty", summary: "Log in to chat",
		roles: working, takes: loginBody{}, optionalBody: true, gives: staffResource{}, handle: duty(logIn)},
	{id: "log-out", method: post, path: "/staff/{id}/logout", tag: "duty", summary: "Log out; monitorings end",
		roles: working, optionalBody: true, gives: staffResource{}, handle: duty(logOut)},
	{id: "set-status", method: put, path: "/staff/{id}/status", tag: "duty", summary: "Change the status",
		roles: working, takes: statusBody{}, gives: staffResource{}, handle: duty(setStatus)},
}

var sessionOperations = []operation{
	{id: "request-session", method: post, path: "/sessions", tag: "sessions", summary: "Ask for a chat, with or without a token",
		takes: chatBody{}, gives: requested{}, status: http.StatusCreated, handle: postSession},
	{id: "accept", method: post, path: "/sessions/{id}/accept", tag: "sessions", summary: "Take a session that is offered or waits",
		roles: working, optionalBody: true, gives: sessionResource{}, handle: verb(accept)},
	{id: "decline", method: post, path: "/sessions/{id}/decline", tag: "sessions", summary: "Refuse an offer",
		roles: working, optionalBody: true, gives: sessionResource{}, handle: verb(decline)},
	{id: "transfer", method: post, path: "/sessions/{id}/transfer", tag: "sessions", summary: "Move a session to a queue or a staff member",
		roles: working, takes: transferBody{}, gives: sessionResource{}, handle: verb(transfer)},
	{id: "conclude", method: post, path: "/sessions/{id}/conclude", tag: "sessions", summary: "End a session, or its wrap-up",
		roles: working, takes: concludeBody{}, optionalBody: true, gives: sessionResource{}, handle: verb(conclude)},
	{id: "request-help", method: post, path: "/sessions/{id}/help", tag: "sessions", summary: "Call for a supervisor",
		roles: working, takes: helpBody{}, optionalBody: true, gives: sessionResource{}, handle: verb(requestHelp)},
	{id: "monitor", method: post, path: "/sessions/{id}/monitor", tag: "supervision", summary: "Watch a session silently",
		roles: working, takes: monitorBody{}, optionalBody: true, gives: sessionResource{}, handle: verb(monitor)},
	{id: "join", method: post, path: "/sessions/{id}/join", tag: "supervision", summary: "Join a session that one monitors",
		roles: working, optionalBody: true, gives: sessionResource{}, handle: verb(join)},
	{id: "leave", method: post, path: "/sessions/{id}/leave", tag: "supervision", summary: "End one's monitoring; as the customer, the session",
		roles: talking, optionalBody: true, gives: sessionResource{}, handle: verb(leave)},
	{id: "send-message", method: post, path: "/sessions/{id}/messages", tag: "sessions", summary: "Write a message",
		roles: talking, takes: messageBody{}, gives: messageResource{}, status: http.StatusCreated, handle: postMessage},
}

var readingOperations = []operation{
	{id: "list-sessions", method: get, path: "/sessions", tag: "sessions", summary: "List the sessions that one may know of, latest first",
		roles: inside, query: sessionFilters, gives: list[sessionResource]{}, handle: listSessions},
	{id: "read-session", method: get, path: "/sessions/{id}", tag: "sessions", summary: "Read a session, with what one may do",
		roles: everybody, gives: sessionResource{}, handle: getSession},
	{id: "read-transcript", method: get, path: "/sessions/{id}/transcript", tag: "sessions", summary: "Read what was said, as one's role",
		roles: everybody, gives: transcriptResource{}, media: []string{mediaText, mediaCSV, mediaHTML}, handle: getTranscript,
		query: []parameter{{"as", "a lesser role"}, {"limit", "1 to 1000; everything when left out"}, {"cursor", "next_cursor of the page before"}}},
	{id: "follow-session", method: get, path: "/sessions/{id}/live", tag: "sessions", summary: "Follow the transcript as Server-Sent Events",
		roles: everybody, media: []string{"text/event-stream"}, handle: getLive,
		query: []parameter{{"as", "a lesser role"}, {"after", "id of the last event received, as Last-Event-ID"}}},
}

var reportOperations = []operation{
	{id: "queue-snapshot", method: get, path: "/reports/queue-snapshot", tag: "reports", summary: "Queues, agents and sessions as they are, or were at a time",
		roles: inside, query: []parameter{{"at", "a past time"}}, gives: snapshotResource{}, handle: getSnapshot},
	{id: "queue-snapshot-live", method: get, path: "/reports/queue-snapshot/live", tag: "reports", summary: "The snapshot as Server-Sent Events",
		roles: inside, media: []string{"text/event-stream"}, handle: getSnapshotLive},
}

var auditOperations = []operation{
	{id: "audit-events", method: get, path: "/audit/sessions/{id}/events", tag: "audit", summary: "The events of a session as recorded",
		roles: auditors, gives: auditEvents{}, handle: getAuditEvents,
		query: []parameter{{"limit", "1 to 1000; 1000 when left out"}, {"cursor", "next_cursor of the page before"}}},
	{id: "audit-replay", method: get, path: "/audit/sessions/{id}/replay", tag: "audit", summary: "State and transcript of a session as they were",
		roles: auditors, gives: replayed{}, handle: getReplay,
		query: []parameter{{"revision", "of the session's stream"}, {"at", "a time"}}},
	{id: "audit-supervision", method: get, path: "/audit/supervision", tag: "audit", summary: "Who watched whom, when and why, latest first",
		roles: auditors, query: supervisionFilters, gives: list[supervisionResource]{}, handle: listSupervision},
	{id: "audit-access", method: get, path: "/audit/access", tag: "audit", summary: "Who read or exported what, latest first",
		roles: auditors, query: accessFilters, gives: list[accessResource]{}, handle: listAccess},
}

// outside are the operations at the root.
func (s *server) outside() []operation {
	const tag = "operations"
	return []operation{
		{id: "health", method: get, path: "/healthz", tag: tag, summary: "The process runs", media: []string{mediaText}, handle: getHealth},
		{id: "readiness", method: get, path: "/readyz", tag: tag, summary: "The process can serve", gives: readiness{}, handle: getReadiness},
		{id: "metrics", method: get, path: "/metrics", tag: tag, summary: "Numbers for Prometheus, for operators", media: []string{mediaText}, handle: getMetrics},
		{id: "read-openapi", method: get, path: "/openapi.json", tag: tag, summary: "This description", handle: getOpenAPI},
		{id: "read-docs", method: get, path: "/docs", tag: tag, summary: "This description for people", media: []string{mediaHTML}, handle: getDocs},
	}
}
