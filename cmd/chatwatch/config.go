package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
)

// serving is what both serve and demo can be told.
type serving struct {
	Listen       string  `help:"Address to listen on." default:":8080"`
	PprofListen  string  `help:"Address for Go's profiles, such as 127.0.0.1:6060; none when empty." name:"pprof-listen"`
	SessionRate  float64 `help:"Sessions a second that one address may ask for without a token." default:"100" name:"session-rate"`
	SessionBurst int     `help:"Sessions that one address may ask for at once without a token." default:"1000" name:"session-burst"`

	LogListen string `help:"Address at which EventStoreDB's clients can read the embedded event log, such as 127.0.0.1:2113; none when empty. Whoever reaches it can read everything, so it is on this machine only unless a certificate is given." name:"eventstore-listen" placeholder:"ADDRESS"`
	LogWrites bool   `help:"Let them write too." name:"eventstore-writes"`
	LogCert   string `help:"File of the certificate for --eventstore-listen, in PEM. Callers then show a token of an auditor or administrator as their password." name:"eventstore-cert" type:"path" placeholder:"FILE"`
	LogKey    string `help:"File of its key, in PEM." name:"eventstore-key" type:"path" placeholder:"FILE"`
}

// check returns what is wrong with the settings.
func (s serving) check(e *environment) error {
	var problems []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		problems = append(problems, fmt.Errorf("--listen must be like :8080 or 127.0.0.1:8080: %w", err))
	}
	if s.SessionRate <= 0 || s.SessionBurst < 1 {
		problems = append(problems, errors.New("--session-rate and --session-burst must be above 0"))
	}
	if s.LogListen != "" {
		problems = append(problems, s.checkLogListen(e))
	}
	if s.LogListen == "" && (s.LogWrites || s.LogCert != "" || s.LogKey != "") {
		problems = append(problems, errors.New("--eventstore-writes, --eventstore-cert and --eventstore-key go with --eventstore-listen"))
	}
	return errors.Join(problems...)
}

func (s serving) checkLogListen(e *environment) error {
	host, _, err := net.SplitHostPort(s.LogListen)
	switch ip := net.ParseIP(host); {
	case err != nil:
		return fmt.Errorf("--eventstore-listen must be like 127.0.0.1:2113: %w", err)
	case e.EventStore != "":
		return errors.New("--eventstore-listen is for the embedded event log: with --eventstore, clients ask that one")
	case (s.LogCert == "") != (s.LogKey == ""):
		return errors.New("--eventstore-cert and --eventstore-key are given together")
	case s.LogCert == "" && host != "localhost" && (ip == nil || !ip.IsLoopback()):
		return errors.New("--eventstore-listen beyond this machine needs --eventstore-cert and --eventstore-key")
	}
	return nil
}

// Files of the data directory.
func (e *environment) logFile() string   { return filepath.Join(e.DataDir, "events.db") }
func (e *environment) readFile() string  { return filepath.Join(e.DataDir, "read.db") }
func (e *environment) snapshots() string { return filepath.Join(e.DataDir, "snapshots") }
