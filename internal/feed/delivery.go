package feed

import (
	"context"

	"github.com/ThreeDotsLabs/watermill/message"

	"github.com/chatwatch/chatwatch/internal/eventstore"
)

// delivery sends the batches of a subscription as messages, and holds the window of those that wait for their Ack. It
// is one goroutine's.
type delivery struct {
	ctx     context.Context
	cfg     *Config
	topic   string
	batches <-chan eventstore.Batch
	out     chan *message.Message

	waiting []sent // in order; the first is the one whose Ack moves the window
	again   []*item
	batch   eventstore.Batch // what is left of it
	tell    bool             // OnProgress has to be called for batch
	mark    bool             // batch has news that no event of it carries, and the consumer wants a marker
	next    *sent            // made, and not yet sent
	seq     uint64
	refused int // times in a row that the first was refused
}

// sent is a message and its context.
type sent struct {
	msg *message.Message
	ctx *messageContext
}

func newDelivery(ctx context.Context, cfg *Config, topic string, batches <-chan eventstore.Batch) *delivery {
	d := &delivery{ctx: ctx, cfg: cfg, topic: topic, batches: batches}
	if cfg.Window > 1 { // a consumer takes what lies ready; with a window of 1 nothing may lie between
		d.out = make(chan *message.Message, cfg.Window)
	} else {
		d.out = make(chan *message.Message)
	}
	return d
}

// run delivers until the context ends.
func (d *delivery) run() {
	defer d.end()
	for d.ctx.Err() == nil {
		d.prepare()
		if !d.hurry() {
			d.wait()
		}
	}
}

// end cancels what is in flight, and takes back what nobody has received.
func (d *delivery) end() {
	d.void()
	close(d.out)
}

// void ends the contexts of all messages in flight and empties the channel.
func (d *delivery) void() {
	for i := range d.waiting {
		d.waiting[i].ctx.end()
	}
	if d.next != nil {
		d.next.ctx.end()
		d.next = nil
	}
	for {
		select {
		case <-d.out:
		default:
			return
		}
	}
}

// prepare makes the next message, when there is something to send and the window has room.
func (d *delivery) prepare() {
	if d.next != nil || len(d.waiting) >= d.cfg.Window {
		return
	}
	i := d.nextItem()
	if i == nil {
		return
	}
	ctx := &messageContext{Context: d.ctx, item: i}
	d.next = &sent{msg: newMessage(ctx, d.cfg.Bare), ctx: ctx}
}

// nextItem is what comes next: what has to come again first. It calls OnProgress when it is time.
func (d *delivery) nextItem() *item {
	if len(d.again) > 0 {
		i := d.again[0]
		d.again = d.again[1:]
		return i
	}
	if len(d.batch.Events) > 0 {
		i := &item{event: d.batch.Events[0], progress: Progress{Position: d.batch.Events[0].Position}}
		d.batch.Events = d.batch.Events[1:]
		if len(d.batch.Events) == 0 && i.event.Position == d.batch.Position {
			i.progress.CaughtUp = d.batch.CaughtUp
		}
		return d.numbered(i)
	}
	p := Progress{Position: d.batch.Position, CaughtUp: d.batch.CaughtUp}
	if d.tell {
		if len(d.waiting) > 0 {
			return nil
		}
		d.tell = false
		d.cfg.OnProgress(d.ctx, d.topic, p)
	}
	if d.mark {
		d.mark = false
		return d.numbered(&item{progress: p})
	}
	return nil
}

func (d *delivery) numbered(i *item) *item {
	i.seq = d.seq
	d.seq++
	return i
}

// hurry does one thing that needs no waiting, and tells whether there was one. Its selects of one case are far
// cheaper than the one of wait.
func (d *delivery) hurry() bool {
	if d.next != nil {
		select {
		case d.out <- d.next.msg:
			d.sent()
			return true
		default:
		}
	}
	if len(d.waiting) > 0 {
		select {
		case <-d.waiting[0].msg.Acked():
			d.acked()
			return true
		default:
		}
	}
	return false
}

// wait does the next thing that comes up.
func (d *delivery) wait() {
	var out chan<- *message.Message
	var batches <-chan eventstore.Batch
	var acked, nacked <-chan struct{}
	var msg *message.Message
	if d.next != nil {
		out, msg = d.out, d.next.msg
	}
	if len(d.waiting) > 0 {
		acked, nacked = d.waiting[0].msg.Acked(), d.waiting[0].msg.Nacked()
	}
	if d.next == nil && len(d.again) == 0 && len(d.batch.Events) == 0 && !d.tell && !d.mark {
		batches = d.batches
	}
	select {
	case out <- msg:
		d.sent()
	case d.batch = <-batches:
		d.tell = d.cfg.OnProgress != nil
		n := len(d.batch.Events)
		d.mark = d.cfg.Markers && (n == 0 || d.batch.Events[n-1].Position < d.batch.Position)
	case <-acked:
		d.acked()
	case <-nacked:
		d.nacked()
	case <-d.ctx.Done():
	}
}

func (d *delivery) sent() {
	d.waiting = append(d.waiting, *d.next)
	d.next = nil
}

func (d *delivery) acked() {
	d.waiting[0].ctx.end()
	d.waiting[0] = sent{}
	d.waiting = d.waiting[1:]
	d.refused = 0
}

// nacked sends the refused message and everything behind it again.
func (d *delivery) nacked() {
	again := make([]*item, 0, len(d.waiting)+1+len(d.again))
	for i := range d.waiting {
		again = append(again, d.waiting[i].ctx.item)
	}
	if d.next != nil {
		again = append(again, d.next.ctx.item)
	}
	d.again = append(again, d.again...)
	d.void()
	d.waiting = d.waiting[:0]
	pause := d.cfg.Redeliver.pause(d.refused)
	d.refused++
	wait(d.ctx, pause)
}
