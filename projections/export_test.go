package projections

import (
	"context"

	"github.com/chatwatch/chatwatch/internal/eventcodec"
	"github.com/chatwatch/chatwatch/internal/readstore"
)

// Faulty makes a projection fail wherever fail says so: at "fold", before it writes and after it has written.
func Faulty(p Projection, fail func(at string) error) Projection { return faulty{p, fail} }

type faulty struct {
	Projection
	fail func(at string) error
}

func (f faulty) fold(ctx context.Context, q readstore.Queryer, events []*eventcodec.Envelope) ([]failure, error) {
	failures, err := f.Projection.fold(ctx, q, events)
	if err == nil {
		err = f.fail("fold")
	}
	return failures, err
}

// Versioned makes a projection of another version of the code.
func Versioned(p Projection, version int64) Projection { return versioned{p, version} }

type versioned struct {
	Projection
	is int64
}

func (v versioned) version() int64 { return v.is }
