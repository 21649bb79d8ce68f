package dictionary

// responseMeasures are about what customers and agents get to see of the staff.
var responseMeasures = []Measure{{
	Name: "average_first_response_ms",
	Definition: "Mean time from the request to the first public message of an agent, over the sessions that got one, by the queue that was " +
		"requested. Private, system and automatic messages never count.",
	Unit: "ms",
	SQL: `SELECT queue_id, CAST(sum(first_response_ms) AS double precision) / nullif(sum(responded), 0) AS average_first_response_ms
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "none (tAgentResponseTime counts every reply)", Connect: "AVG_GREETING_TIME_AGENT (from the agent's coming)", Dynamics: "Average first response time",
}, {
	Name: "average_time_to_help_ms",
	Definition: "Mean time from an agent's call for help to the first private message or join of a supervisor, over the calls that were " +
		"answered.",
	Unit: "ms",
	SQL: `SELECT queue_id, CAST(sum(time_to_help_ms) AS double precision) / nullif(sum(helped), 0) AS average_time_to_help_ms
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "none", Connect: "none", Dynamics: "none",
}}

// agentMeasures are about the work of agents.
var agentMeasures = []Measure{{
	Name: "average_handle_time_ms",
	Definition: "Σ (engaged + wrap-up) / handled, where handled are the agents' turns on sessions that are closed. Monitoring never counts; " +
		"a session that two agents had is handled twice.",
	Unit: "ms",
	SQL: `SELECT queue_id, CAST(sum(engaged_ms) + sum(wrap_up_ms) AS double precision) / nullif(sum(handled), 0) AS average_handle_time_ms
FROM agg_queue_15m GROUP BY queue_id ORDER BY queue_id`,
	Genesys: "tHandle (wrap-up alone: tAcw)", Connect: "AVG_HANDLE_TIME", Dynamics: "Average handle time",
}, {
	Name: "occupancy",
	Definition: "Time with a session / (time with a session + time available without one). Time in which the agent is neither is left out; " +
		"monitoring and wrap-up are no time with a session.",
	Unit: "ratio",
	SQL: `SELECT agent_id, CAST(sum(busy_ms) AS double precision) / nullif(sum(busy_ms) + sum(idle_ms), 0) AS occupancy
FROM agg_agent_15m GROUP BY agent_id ORDER BY agent_id`,
	Genesys: "Occupancy %", Connect: "AGENT_OCCUPANCY", Dynamics: "Occupancy",
}, {
	Name:       "concurrency",
	Definition: "Σ session time / time with at least one session: how many sessions the agent had at a time while they had any. 1 or more.",
	Unit:       "sessions",
	SQL: `SELECT agent_id, CAST(sum(session_ms) AS double precision) / nullif(sum(busy_ms), 0) AS concurrency
FROM agg_agent_15m GROUP BY agent_id ORDER BY agent_id`,
	Genesys: "none", Connect: "none", Dynamics: "none",
}}
