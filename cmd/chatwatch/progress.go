package main

import (
	"fmt"
	"io"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/cwriter"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// shown is how far a rebuild is, as somebody sees it.
type shown struct {
	progress func(done, total eventstore.Position)
	stop     func()
}

// showRebuild draws a bar on a terminal, and writes a line each tenth elsewhere. It counts positions of the log, which are
// events or bytes.
func showRebuild(w io.Writer) shown {
	if cwriter.New(w).IsTerminal() {
		return drawRebuild(w)
	}
	told := -1
	return shown{stop: func() {}, progress: func(done, total eventstore.Position) {
		tenth := 10
		if total > 0 {
			tenth = int(done * 10 / total)
		}
		if tenth > told {
			told = tenth
			fmt.Fprintf(w, "%3d %% of position %d\n", tenth*10, total)
		}
	}}
}

func drawRebuild(w io.Writer) shown {
	bars := mpb.New(mpb.WithOutput(w), mpb.WithWidth(80), mpb.WithRefreshRate(200*time.Millisecond))
	bar := bars.AddBar(0,
		mpb.PrependDecorators(decor.Percentage(decor.WC{W: 5}), decor.CountersNoUnit(" %d/%d ")),
		mpb.AppendDecorators(decor.OnComplete(decor.AverageETA(decor.ET_STYLE_GO, decor.WC{W: 8}), " swapping in")),
	)
	return shown{
		progress: func(done, total eventstore.Position) {
			bar.SetTotal(int64(total), false)
			bar.SetCurrent(int64(done))
			if done >= total {
				bar.SetTotal(int64(total), true)
			}
		},
		stop: func() {
			bar.Abort(false) // changes nothing when the bar is full
			bars.Wait()
		},
	}
}
