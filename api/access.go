package api

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/access"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/command"
	"github.com/chatwatch/chatwatch/internal/eventstore"
	accesses "github.com/chatwatch/chatwatch/projections/access"
)

// record leaves the trace of a reading in the log. It is called when everything that is going to be answered is there, and
// before any of it is: what is refused leaves no trace, and nothing is read without one.
func (c *call) record(read access.Read) error {
	r := command.Request{ID: uuid.New(), Actor: c.actor(), CorrelationID: c.requestID, At: c.at}
	position, err := c.Service.RecordAccess(c.ctx(), r, read, c.narrowed())
	if err == nil {
		advance(&c.recorded, position)
	}
	return err
}

// recordView is record for the transcript of a session, which the caller is shown as the reader of a view.
func (c *call) recordView(v view, kind access.Kind, format access.Format) error {
	as, _ := roleOf(v.reader.As)
	return c.record(access.Read{
		Kind: kind, SessionID: v.ID, QueueID: v.Queue.ID, As: as, Format: format,
		Serves: c.is(domain.RoleStaff) && v.ReaderFor(v.standing).As == session.ToAgent,
	})
}

// narrowed is what a query asks for beside what a record of it holds or what another page of it would ask for.
func (c *call) narrowed() string {
	values := maps.Clone(c.values())
	for _, name := range []string{"as", "limit", "cursor", "after"} {
		values.Del(name)
	}
	return values.Encode()
}

var accessFilters = append([]parameter{
	{"reader_id", "who read"}, {"session_id", "which session"}, {"kind", "what was read"},
	{"from", "read at or after this time"}, {"to", "read before this time"},
}, pagination...)

// accessResource is one reading.
type accessResource struct {
	AccessedAt timestamp        `json:"accessed_at"`
	ReaderID   string           `json:"reader_id"`
	ReaderRole domain.Role      `json:"reader_role" enum:"staff,admin,auditor" doc:"Of the token"`
	Kind       access.Kind      `json:"kind" enum:"transcript,live,events,replay,supervision,access,snapshot,log" doc:"What was read"`
	SessionID  domain.SessionID `json:"session_id,omitempty" doc:"That was read, or to which a list was narrowed"`
	QueueID    domain.QueueID   `json:"queue_id,omitempty" doc:"Of the session then, or to which a list was narrowed"`
	As         domain.Role      `json:"as,omitempty" doc:"Whose view was shown"`
	Format     access.Format    `json:"format" enum:"json,text,csv,html,sse,client" doc:"text, csv and html are exports"`
	Revision   *int64           `json:"revision,omitempty" doc:"Up to which a replay was asked for"`
	At         timestamp        `json:"at,omitzero" doc:"The past time that was asked for"`
}

func listAccess(c *call) (*reply, error) {
	after, limit, err := c.accessPage()
	if err != nil {
		return nil, err
	}
	filter, err := c.accessFilter()
	if err != nil {
		return nil, err
	}
	if err := c.catchUp(eventstore.Position(c.recorded.Load()), c.Limits.ListWait); err != nil {
		return nil, err
	}
	rows, err := c.Accesses.List(c.ctx(), filter, after, limit+1)
	if err != nil {
		return nil, err
	}
	answer, err := paged(c, "access", rows, limit, accessKey, func(a accesses.Access) (accessResource, error) { return showAccess(a), nil })
	if err != nil {
		return nil, err
	}
	return answer, c.record(access.Read{Kind: access.OfAccess, SessionID: filter.Session, Format: access.JSON})
}

func showAccess(a accesses.Access) accessResource {
	return accessResource{
		AccessedAt: timestamp(a.AccessedAt), ReaderID: a.Reader.ID, ReaderRole: a.Reader.Role, Kind: a.Kind, SessionID: a.SessionID,
		QueueID: a.QueueID, As: a.As, Format: a.Format, Revision: a.ReplayRevision, At: timestamp(a.ReplayAt),
	}
}

// accessKey is where a reading stands in the list: two numbers of the same length.
func accessKey(a accesses.Access) string {
	return numberKey(a.AccessedAt.UnixMicro()) + numberKey(a.Key)
}

// accessPage reads limit and cursor.
func (c *call) accessPage() (after accesses.Place, limit int, err error) {
	text, limit, err := c.page("access")
	if err != nil || text == "" {
		return after, limit, err
	}
	half := len(text) / 2
	at, err := strconv.ParseInt(text[:half], 10, 64)
	if err == nil {
		after.At = time.UnixMicro(at).UTC()
		after.Key, err = strconv.ParseInt(text[half:], 10, 64)
	}
	if err != nil {
		return after, 0, invalid("cursor is not one that was given out here")
	}
	return after, limit, nil
}

func (c *call) accessFilter() (accesses.Filter, error) {
	f := accesses.Filter{
		Reader: c.query("reader_id"), Session: domain.SessionID(c.query("session_id")), Kind: access.Kind(c.query("kind")),
	}
	if err := domain.CheckOptionalText("reader_id", f.Reader, maxReaderID); err != nil {
		return f, err
	}
	if f.Session != "" && !validSessionID(string(f.Session)) {
		return f, invalid("session_id is not the id of a session")
	}
	if f.Kind != "" && !slices.Contains(access.Kinds(), f.Kind) {
		return f, invalid("kind is not one that is recorded")
	}
	var err error
	if f.From, _, err = c.instant("from"); err != nil {
		return f, err
	}
	f.To, _, err = c.instant("to")
	return f, err
}

// maxReaderID is the most that a token can call its bearer, in bytes.
const maxReaderID = 4 * domain.MaxName
