package simulation

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows how far a run is.
type progress struct {
	step func() // one more conversation is through
	stop func()
}

// showProgress draws a bar on a terminal, writes lines elsewhere, and does nothing without a writer.
func showProgress(w io.Writer, total int, s *stats) progress {
	switch {
	case w == nil:
		return progress{func() {}, func() {}}
	case cwriter.New(w).IsTerminal():
		return drawBar(w, total, s)
	}
	return writeLines(w, total, s)
}

func drawBar(w io.Writer, total int, s *stats) progress {
	began := time.Now()
	bars := mpb.New(mpb.WithOutput(w), mpb.WithWidth(80), mpb.WithRefreshRate(250*time.Millisecond))
	bar := bars.AddBar(int64(total),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d sessions ")),
		mpb.AppendDecorators(
			decor.Any(func(decor.Statistics) string {
				return fmt.Sprintf(" %.0f messages/s", perSecond(s.messages.Load(), time.Since(began)))
			}),
			decor.Any(func(decor.Statistics) string {
				if n := s.failed.Load(); n > 0 {
					return fmt.Sprintf(", %d failed", n)
				}
				return ""
			}),
			decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8}), ""),
		),
	)
	return progress{bar.Increment, func() {
		bar.Abort(false) // changes nothing when the bar is full
		bars.Wait()
	}}
}

// lineEvery is the time between two lines.
const lineEvery = 2 * time.Second

func writeLines(w io.Writer, total int, s *stats) progress {
	done := make(chan struct{})
	var writer sync.WaitGroup
	began := time.Now()
	writer.Go(func() {
		ticker := time.NewTicker(lineEvery)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
				through, messages := s.sessions.Load()+s.failed.Load(), s.messages.Load()
				// Whoever reads the lines may be gone; the run goes on.
				_, _ = fmt.Fprintf(w, "%d/%d sessions, %d messages, %.0f messages/s, %d failed\n",
					through, total, messages, perSecond(messages, time.Since(began)), s.failed.Load())
			}
		}
	})
	return progress{func() {}, func() {
		close(done)
		writer.Wait()
	}}
}
