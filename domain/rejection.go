// Package domain holds the vocabulary that every decider shares: rejections with their stable codes, identifiers, roles and
// the actor of a command. The rules themselves live in the packages below it; their numbers are those of docs/rules.md.
// Nothing here or below reads a clock, makes an id, or does I/O, and nothing imports more than the standard library.
package domain

import (
	"errors"
	"fmt"
	"maps"
)

// Kind is what sort of refusal a code is. The HTTP status of each is in one table in package api.
type Kind uint8

// Kinds of refusal.
const (
	Invalid Kind = iota + 1
	Unauthenticated
	Forbidden
	NotFound
	Conflict
	TooLarge
	Exhausted
	Unavailable
)

// Code names a refusal. Codes are part of the interface: clients act on them, so they never change.
type Code string

// The codes, by kind.
const (
	InvalidRequest            Code = "invalid_request"
	MonitorRequiresSupervisor Code = "monitor_requires_supervisor"
	UnknownQueue              Code = "unknown_queue"
	UnknownProfile            Code = "unknown_profile"

	NotAuthenticated Code = "unauthenticated"

	NotPermitted      Code = "not_permitted"
	QueueNotInProfile Code = "queue_not_in_profile"
	OwnSession        Code = "own_session"
	NotAParticipant   Code = "not_a_participant"

	Missing Code = "not_found"

	ProfileHasNoQueue     Code = "profile_has_no_queue"
	NotLoggedIn           Code = "not_logged_in"
	NoIdleSession         Code = "no_idle_session"
	NotMonitoring         Code = "not_monitoring"
	AlreadyMonitoring     Code = "already_monitoring"
	NotJoined             Code = "not_joined"
	AlreadyJoined         Code = "already_joined"
	PrivateReplyNeedsJoin Code = "private_reply_needs_join"
	SessionNotEngaged     Code = "session_not_engaged"
	SessionEnded          Code = "session_ended"
	SessionsStillOpen     Code = "sessions_still_open"
	StaleRevision         Code = "stale_revision"
	IdempotencyKeyReused  Code = "idempotency_key_reused"

	TextTooLarge Code = "too_large"

	TooManyRequests Code = "too_many_requests"

	ServiceUnavailable Code = "unavailable"
	ProjectionBehind   Code = "projection_behind"
)

var kinds = map[Code]Kind{
	InvalidRequest: Invalid, MonitorRequiresSupervisor: Invalid, UnknownQueue: Invalid, UnknownProfile: Invalid,
	NotAuthenticated: Unauthenticated,
	NotPermitted:     Forbidden, QueueNotInProfile: Forbidden, OwnSession: Forbidden, NotAParticipant: Forbidden,
	Missing:           NotFound,
	ProfileHasNoQueue: Conflict, NotLoggedIn: Conflict, NoIdleSession: Conflict, NotMonitoring: Conflict,
	AlreadyMonitoring: Conflict, NotJoined: Conflict, AlreadyJoined: Conflict, PrivateReplyNeedsJoin: Conflict,
	SessionNotEngaged: Conflict, SessionEnded: Conflict, SessionsStillOpen: Conflict, StaleRevision: Conflict,
	IdempotencyKeyReused: Conflict,
	TextTooLarge:         TooLarge,
	TooManyRequests:      Exhausted,
	ServiceUnavailable:   Unavailable, ProjectionBehind: Unavailable,
}

// Codes lists every code with its kind.
func Codes() map[Code]Kind { return maps.Clone(kinds) }

// Rejection is a refusal that the caller can act on: a stable code, a sentence without personal data, and the numbers or
// names that explain it. It is a value of the domain, not a failure of the program.
type Rejection struct {
	Code   Code
	Detail string
	// Data are extra members for the caller, such as max_sessions. May be nil.
	Data map[string]any
}

// Reject makes a rejection.
func Reject(code Code, format string, args ...any) *Rejection {
	return &Rejection{Code: code, Detail: fmt.Sprintf(format, args...)}
}

// With returns the rejection with one more member for the caller.
func (r *Rejection) With(name string, value any) *Rejection {
	data := maps.Clone(r.Data)
	if data == nil {
		data = map[string]any{}
	}
	data[name] = value
	return &Rejection{Code: r.Code, Detail: r.Detail, Data: data}
}

// Kind of the rejection's code.
func (r *Rejection) Kind() Kind { return kinds[r.Code] }

func (r *Rejection) Error() string { return string(r.Code) + ": " + r.Detail }

// CodeOf returns the code of the rejection in err's chain, or "" when there is none.
func CodeOf(err error) Code {
	if r, ok := errors.AsType[*Rejection](err); ok {
		return r.Code
	}
	return ""
}
