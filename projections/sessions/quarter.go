package sessions

import (
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/projections"
)

// What is counted stands in the quarter in which it began. The rows of a session remember when that was.

func (f *fold) quarter(queue domain.QueueID, began time.Time) *quarterRow {
	return f.quarters.At(quarterKey{queue, projections.QuarterOf(began).UnixMicro()})
}

// count adds how a wait ended.
func (q *quarterRow) count(outcome string, waitMS int64, inTarget bool) {
	switch outcome {
	case outcomeAnswered:
		q.Answered++
		q.AnsweredWaitMS += waitMS
		if inTarget {
			q.AnsweredInTarget++
		}
	case outcomeAssigned:
		q.Assigned++
	case outcomeAbandoned:
		q.Abandoned++
		q.AbandonedWaitMS += waitMS
	case outcomeShortAbandoned:
		q.ShortAbandoned++
		q.AbandonedWaitMS += waitMS
	case outcomeTransferred:
		q.Transferred++
	case outcomeClosed:
		q.Closed++
	}
}

// countResponse adds the first public message of an agent.
func (f *fold) countResponse(s *stepRow) {
	row := f.quarter(s.RequestedQueueID, s.RequestedAt)
	row.Responded++
	row.FirstResponseMS += *s.FirstResponseMS
}

// countHelp adds the answer to the call for help that is open.
func (f *fold) countHelp(s *stepRow, took domain.Millis) {
	row := f.quarter(s.QueueID, s.HelpRequestedAt)
	row.Helped++
	row.TimeToHelpMS += int64(took)
}

// countTurn adds that an agent took or got a session.
func (f *fold) countTurn(l *legRow) {
	if row := f.handled(l); l.Assigned {
		row.Assigned++
	} else {
		row.Answered++
	}
}

// countHandled adds a turn of an agent that is closed.
func (f *fold) countHandled(l *legRow) {
	agent, queue := f.handled(l), f.quarter(l.QueueID, l.StartedAt)
	agent.Handled++
	queue.Handled++
	if l.EngagedMS != nil {
		agent.EngagedMS += *l.EngagedMS
		queue.EngagedMS += *l.EngagedMS
	}
	agent.WrapUpMS += *l.WrapUpMS
	queue.WrapUpMS += *l.WrapUpMS
}

func (f *fold) handled(l *legRow) *handlingRow {
	return f.handling.At(handlingKey{l.AgentID, projections.QuarterOf(l.StartedAt).UnixMicro()})
}
