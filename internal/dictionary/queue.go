package dictionary

// queueMeasures are about waits in a queue.
var queueMeasures = []Measure{{
	Name:       "offered",
	Definition: "Sessions that entered the queue. One that is transferred to another queue is offered there again.",
	Unit:       "sessions", Additive: true,
	SQL: `SELECT queue_id, CAST(sum(offered) AS bigint) AS offered
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "nOffered", Connect: "CONTACTS_QUEUED", Dynamics: "Incoming conversations",
}, {
	Name:       "answered",
	Definition: "Waits that ended because an agent accepted. An assignment by somebody else is not an answer.",
	Unit:       "sessions", Additive: true,
	SQL: `SELECT queue_id, CAST(sum(answered) AS bigint) AS answered
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tAnswered (its count)", Connect: "CONTACTS_HANDLED (assignments too)", Dynamics: "Engaged conversations",
}, {
	Name:       "wait_ms",
	Definition: "From entering the queue to leaving it, summed over the waits that are over, abandoned ones included.",
	Unit:       "ms", Additive: true,
	SQL: `SELECT queue_id, CAST(sum(wait_ms) AS bigint) AS wait_ms
FROM fact_queue_segment GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tWait", Connect: "QUEUED_TIME", Dynamics: "Average wait time (its sum)",
}, {
	Name:       "average_speed_of_answer_ms",
	Definition: "Mean wait of the answered, the time of the offer included. Abandoned and assigned waits do not count.",
	Unit:       "ms",
	SQL: `SELECT queue_id, CAST(sum(answered_wait_ms) AS double precision) / nullif(sum(answered), 0) AS average_speed_of_answer_ms
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tAnswered (its average; ASA in the views)", Connect: "AVG_QUEUE_ANSWER_TIME", Dynamics: "Average speed to answer",
}, {
	Name:       "oldest_wait_ms",
	Definition: "Now − the earliest time at which a session that still waits entered the queue. NULL when none waits.",
	Unit:       "ms",
	SQL: `SELECT queue_id, oldest_wait_ms
FROM queue_snapshot ORDER BY queue_id`,
	Genesys: "oLongestWaiting", Connect: "OLDEST_CONTACT_AGE", Dynamics: "Longest wait time",
}, {
	Name: "abandoned",
	Definition: "The customer left while queued or offered, before an agent accepted, and not sooner than the queue's threshold. " +
		"A customer's silence is not abandonment.",
	Unit: "sessions", Additive: true,
	SQL: `SELECT queue_id, CAST(sum(abandoned) AS bigint) AS abandoned
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tAbandon (its count)", Connect: "CONTACTS_ABANDONED (short ones too)", Dynamics: "Abandoned conversations",
}, {
	Name:       "short_abandoned",
	Definition: "The customer left sooner than the queue's threshold, which stands with the queue.",
	Unit:       "sessions", Additive: true,
	SQL: `SELECT queue_id, CAST(sum(short_abandoned) AS bigint) AS short_abandoned
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tShortAbandon (its count)", Connect: "SUM_CONTACTS_ABANDONED_IN_X", Dynamics: "none",
}, {
	Name: "service_level",
	Definition: "Answered within the queue's target / offered. Abandoned, assigned and still waiting sessions are in the denominator; " +
		"the target is that of the time of the wait.",
	Unit: "ratio",
	SQL: `SELECT queue_id, CAST(sum(answered_in_target) AS double precision) / nullif(sum(offered), 0) AS service_level
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "oServiceLevel", Connect: "SERVICE_LEVEL", Dynamics: "Service level",
}}
