package storetest_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Faults of a remote store that the suite has to find.
const (
	forgetful = "acknowledges what does not arrive"
	doubling  = "stores again under new ids"
	gap       = "goes on from the end"
	repeating = "goes on from the start"
	short     = "ends a read without an error"
	deaf      = "waits longer than its context"
)

const faultVariable = "CHATWATCH_TEST_FAULT"

// TestFaultyStore fails; it is run by the test below.
func TestFaultyStore(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		t.Skip("run by TestOutagesFindFaults, in a process of its own")
	}
	runRemote(t, fault != short, fault)
}

func TestOutagesFindFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fault, test, message string }{
		{forgetful, "appends during an outage", "is at revision"},
		{doubling, "appends during an outage", "is answered revision"},
		{gap, "subscribers go on after an outage", "in the log's order (<nil>)"},
		{repeating, "subscribers go on after an outage", "position went"},
		{short, "reads during an outage", "without an error"},
		{deaf, "reads during an outage", "after its context has ended"},
		{deaf, "calls during an outage", "after their context has ended"},
	} {
		t.Run(c.test+": "+c.fault, func(t *testing.T) {
			t.Parallel()
			name := strings.ReplaceAll(c.test, " ", "_")
			cmd := exec.Command(os.Args[0], "-test.run=^TestFaultyStore$/^"+name)
			cmd.Env = append(os.Environ(), faultVariable+"="+c.fault)
			out, err := cmd.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "--- FAIL: TestFaultyStore/"+name) || !strings.Contains(string(out), c.message) {
				t.Fatalf("the fault was not found (%v):\n%s", err, out)
			}
		})
	}
}
