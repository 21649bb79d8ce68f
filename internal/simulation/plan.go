package simulation

// action is one thing that is done in a session after an agent has accepted it.
type action uint8

const (
	say             action = iota // the turn, by whose it is
	startMonitoring               // a supervisor
	coach                         // a supervisor writes privately
	join                          // the supervisor
	answerPrivately               // the agent, to the supervisor who joined
	stopMonitoring                // the supervisor leaves
	agentConcludes                // the end
	customerLeaves                // the end
)

type step struct {
	do   action
	turn int // of say
}

// plan is what a conversation gets. It depends on its number, its length and the mix alone.
type plan struct {
	monitored, coached, joined bool
	// leavesFirst: the watcher leaves before the end; otherwise the end of the session ends the monitoring.
	leavesFirst    bool
	customerLeaves bool
	live           bool
	steps          []step
}

// every tells whether the number, counted from 0, is one of every n. The remainder says which of them.
func every(number, n, remainder int) bool { return n > 0 && number%n == remainder%n }

func planFor(number, turns int, mix Mix) plan {
	p := plan{
		coached:        every(number, mix.Coach, 0),
		joined:         every(number, mix.Join, 0),
		customerLeaves: every(number, mix.Leave, mix.Leave-1),
		live:           every(number, mix.Live, 0),
	}
	p.monitored = p.coached || p.joined || every(number, mix.Monitor, 0)
	switch {
	case p.joined:
		p.leavesFirst = true
	case p.coached: // each second one, so that both ends happen
		p.leavesFirst = number/mix.Coach%4 == 1
	case p.monitored:
		p.leavesFirst = number/mix.Monitor%4 == 1
	}
	p.steps = p.inOrder(turns)
	return p
}

// inOrder lays what happens beside the turns between them: the watcher comes when there is something to read already,
// coaches, joins when most is said, and leaves after the last turn.
func (p plan) inOrder(turns int) []step {
	steps := make([]step, 0, turns+9)
	for i := range turns {
		if p.monitored && i == turns/4 {
			steps = append(steps, step{do: startMonitoring})
		}
		if p.coached && i == turns/3 {
			steps = append(steps, step{do: coach})
		}
		if p.coached && i == turns/2 {
			steps = append(steps, step{do: coach})
		}
		if p.joined && i == 2*turns/3 {
			steps = append(steps, step{do: join}, step{do: answerPrivately}, step{do: coach})
		}
		steps = append(steps, step{do: say, turn: i})
	}
	if p.leavesFirst {
		steps = append(steps, step{do: stopMonitoring})
	}
	if p.customerLeaves {
		return append(steps, step{do: customerLeaves})
	}
	return append(steps, step{do: agentConcludes})
}

// privates counts the private messages of the plan.
func (p plan) privates() int {
	n := 0
	for _, s := range p.steps {
		if s.do == coach || s.do == answerPrivately {
			n++
		}
	}
	return n
}
