package transcript

import (
	"context"

	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

type entryKey struct {
	session  int64
	revision uint64
}

// prepare reads the entries that are redacted in a batch and stand in the database already.
func (f *fold) prepare(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) error {
	f.stored = nil
	for _, e := range events {
		redaction, ok := e.Event.(session.MessageRedacted)
		if !ok {
			continue
		}
		const where = "WHERE session_key = (SELECT session_key FROM transcript_session WHERE session_id = ?) AND revision = ?"
		rows, err := entryTable.Select(ctx, q, where, string(e.SessionID()), int64(redaction.Revision))
		if err != nil {
			return err
		}
		for _, row := range rows {
			if f.stored == nil {
				f.stored = map[entryKey]*entryRow{}
			}
			if key := (entryKey{row.SessionKey, row.Revision}); f.stored[key] == nil {
				f.stored[key] = row
			}
		}
	}
	return nil
}

// redact takes the text out of an entry, wherever it stands.
func (f *fold) redact(key entryKey) {
	if row, ok := f.stored[key]; ok {
		row.PublicText, row.StaffText = "", ""
		f.redacted.Put(row)
		return
	}
	for _, row := range f.entries.Rows() {
		if row.SessionKey == key.session && row.Revision == key.revision {
			row.PublicText, row.StaffText = "", ""
		}
	}
}
