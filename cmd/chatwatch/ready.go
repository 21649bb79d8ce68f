package main

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// healthCommand asks a server whether it is ready, for where there is no other program to ask with.
type healthCommand struct {
	URL     string        `help:"What to ask." default:"http://127.0.0.1:8080/readyz" name:"url" env:"CHATWATCH_HEALTH_URL"`
	Timeout time.Duration `help:"How long to wait for the answer." default:"5s"`
}

func (c *healthCommand) Run(ctx context.Context, e *environment) error {
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.URL, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", c.URL, response.Status)
	}
	_, err = fmt.Fprintln(e.stdout, "ready")
	return err
}
