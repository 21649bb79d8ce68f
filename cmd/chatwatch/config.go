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
}

// check returns all that is wrong with the settings.
func (s serving) check() error {
	var problems []error
	if _, _, err := net.SplitHostPort(s.Listen); err != nil {
		problems = append(problems, fmt.Errorf("--listen must be like :8080 or 127.0.0.1:8080: %w", err))
	}
	if s.SessionRate <= 0 || s.SessionBurst < 1 {
		problems = append(problems, errors.New("--session-rate and --session-burst must be above 0"))
	}
	return errors.Join(problems...)
}

// Files of the data directory.
func (e *environment) logFile() string   { return filepath.Join(e.DataDir, "events.db") }
func (e *environment) readFile() string  { return filepath.Join(e.DataDir, "read.db") }
func (e *environment) snapshots() string { return filepath.Join(e.DataDir, "snapshots") }
