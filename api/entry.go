package api

import (
	"encoding/json"
	"fmt"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/domain/session"
	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/projections/transcript"
)

// entry of a transcript, the same in a list and in a live stream.
type entry struct {
	Seq        uint64             `json:"seq" doc:"From 1, counting what the role sees"`
	At         timestamp          `json:"at"`
	Type       string             `json:"type" doc:"Event type"`
	Visibility session.Visibility `json:"visibility" enum:"public,private"`
	Sender     *sender            `json:"sender,omitempty"`
	Text       string             `json:"text"`
}

type sender struct {
	ID   string      `json:"id,omitempty" doc:"Of staff, for staff"`
	Role domain.Role `json:"role"`
	Name string      `json:"name"`
}

// showEntry makes the entry of an event for a reader who sees it as their number seq.
func showEntry(e eventcodec.Envelope, event session.Event, reader session.Reader, seq uint64) entry {
	out := entry{Seq: seq, At: timestamp(e.Metadata.OccurredAt), Type: e.Type, Visibility: session.Public}
	var from *session.Sender
	switch reader.As {
	case session.ToCustomer:
		if v, ok := session.ForCustomer(event); ok {
			out.Text = v.Text
			if v.Sender != nil {
				out.Sender = &sender{Role: v.Sender.Role, Name: v.Sender.Name}
			}
		}
		return out
	case session.ToAgent:
		if v, ok := session.ForAgent(event, reader.StaffID); ok {
			out.Visibility, out.Text, from = v.Visibility, v.Text, v.Sender
		}
	case session.ToSupervisor:
		if v, ok := session.ForSupervisor(event); ok {
			out.Visibility, out.Text, from = v.Visibility, v.Text, v.Sender
		}
	case session.ToAuditor:
		v := session.ForAuditor(event)
		out.Visibility, out.Text, from = v.Visibility, v.Text, v.Sender
	}
	if from != nil {
		out.Sender = &sender{ID: from.ID, Role: from.Role, Name: from.Name}
	}
	return out
}

// showStored makes the entry of a row of the transcripts.
func showStored(e transcript.Entry) entry {
	out := entry{Seq: e.Seq, At: timestamp(e.At), Type: e.Type, Visibility: e.Visibility, Text: e.Text}
	if e.Sender != nil {
		out.Sender = &sender{ID: e.Sender.ID, Role: e.Sender.Role, Name: e.Sender.Name}
	}
	return out
}

// encodeEntry is an entry as one line of JSON.
func encodeEntry(e entry) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, fmt.Errorf("encode an entry: %w", err)
	}
	return data, nil
}

// messageOf is the id of the message that an event carries, "" when it carries none.
func messageOf(e session.Event) string {
	switch e := e.(type) {
	case session.PublicMessageSent:
		return e.MessageID
	case session.PrivateMessageSent:
		return e.MessageID
	default:
		return ""
	}
}
