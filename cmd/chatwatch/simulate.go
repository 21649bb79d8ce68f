package main

import (
	"context"
	"errors"

	"github.com/chatwatch/chatwatch/internal/simulation"
)

// simulateCommand plays conversations against a running server whose key is in the data directory.
type simulateCommand struct {
	Conversations string  `help:"File of conversations, one JSON object a line." type:"existingfile" required:""`
	URL           string  `help:"Address of the server." default:"http://127.0.0.1:8080" name:"url"`
	Parallel      int     `help:"Sessions at a time." default:"64"`
	Rate          float64 `help:"Public messages a second; 0 for as fast as it goes." default:"0"`
	Limit         int     `help:"Play only the first so many conversations; 0 for all." default:"0"`
	Repeat        int     `help:"Play them all so many times." default:"1"`
	NoVerify      bool    `help:"Do not read everything back at the end." name:"no-verify"`
	JSON          bool    `help:"Print the summary as JSON." name:"json"`
}

func (c *simulateCommand) Run(ctx context.Context, e *environment) error {
	tokens, err := e.knownTokens()
	if err != nil {
		return err
	}
	config := simulation.Config{
		BaseURL: c.URL, Token: signer(tokens), File: c.Conversations, Parallel: c.Parallel, Rate: c.Rate,
		Limit: c.Limit, Repeat: c.Repeat, RequestAs: "admin", Progress: e.stderr, SkipVerify: c.NoVerify,
	}
	summary, failed := simulation.Run(ctx, config)
	if c.JSON {
		return errors.Join(summary.WriteJSON(e.stdout), failed)
	}
	return errors.Join(summary.WriteText(e.stdout), failed)
}
