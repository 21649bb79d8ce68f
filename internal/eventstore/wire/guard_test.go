package wire_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"iter"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	api "github.com/EventStore/EventStore-Client-Go/v4/protos/streams"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/chatwatch/chatwatch/internal/eventstore"
	"github.com/chatwatch/chatwatch/internal/eventstore/wire"
)

type wireConfig = wire.Config

func readOnly(c *wireConfig) { c.Writes = false }

func TestAServerWithoutWritesReadsOnly(t *testing.T) {
	b := serve(t, readOnly)
	b.put("a", 2)
	for range 20 { // the client sends on while it is refused
		_, err := b.client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{}, news(300)...)
		b.failsWith("append", err, esdb.ErrorCodeAccessDenied)
	}
	_, err := b.delete("a", esdb.Any{})
	b.failsWith("delete", err, esdb.ErrorCodeAccessDenied)
	_, err = b.tombstone("a", esdb.Any{})
	b.failsWith("tombstone", err, esdb.ErrorCodeAccessDenied)
	_, trailer, err := b.append(options("a"), proposed(nil))
	b.refuses("append", err, trailer, codes.PermissionDenied, "exception", "access-denied")
	b.says("append", err, "this log is offered for reading only")
	b.same("the stream", revisions(b.whole("a")), counted(0, 1))
}

// says demands the message of a status.
func (b *bed) says(what string, err error, want string) {
	b.Helper()
	if got := status.Convert(err).Message(); got != want {
		b.Errorf("%s: %q, want %q", what, got, want)
	}
}

func TestACallerWhoMayNotIsToldSo(t *testing.T) {
	b := serve(t, readOnly, func(c *wireConfig) {
		c.Authorize = func(context.Context, string, string, bool) (until time.Time, err error) {
			return until, errors.New(secret)
		}
	})
	_, trailer, err := b.append(options("a"), proposed(nil))
	b.refuses("append", err, trailer, codes.PermissionDenied, "exception", "access-denied")
	b.says("append", err, "access denied")
	_, trailer, err = b.tryAnswers(read("a", nil))
	b.refuses("read", err, trailer, codes.PermissionDenied, "exception", "access-denied")
	b.says("read", err, "access denied")
}

func TestWhetherACallerMayIsNotKnownAtTheTime(t *testing.T) {
	b := serve(t, func(c *wireConfig) {
		c.Authorize = func(context.Context, string, string, bool) (until time.Time, err error) {
			return until, fmt.Errorf("%s: %w: %w", secret, eventstore.ErrUnavailable, eventstore.ErrStreamDeleted)
		}
	})
	_, _, err := b.tryAnswers(read("a", nil))
	b.refuses("read", err, nil, codes.Unavailable)
	b.says("read", err, "the event store is not available")
}

func TestWhatIsNotServedIsUnimplemented(t *testing.T) {
	b := serve(t)
	call, err := b.raw.BatchAppend(b.ctx)
	if err != nil {
		t.Fatal(err)
	}
	_, err = call.Recv()
	b.refuses("batch append", err, nil, codes.Unimplemented)
	err = b.connect().Invoke(b.ctx, "/event_store.client.users.Users/Create", &api.DeleteReq{}, &api.DeleteResp{})
	b.refuses("users", err, nil, codes.Unimplemented)
}

// certified gives a certificate for this machine, and the file of its authority for the client.
func certified(t *testing.T) (*tls.Config, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}, MinVersion: tls.VersionTLS12}, path
}

func TestCallersAreAuthorizedByTheirCredentials(t *testing.T) {
	serverTLS, authority := certified(t)
	b := serve(t, func(c *wireConfig) {
		c.TLS = serverTLS
		c.Authorize = func(_ context.Context, user, password string, write bool) (until time.Time, err error) {
			switch {
			case user == "" && password == "", password != "p:w ü":
				return until, wire.ErrUnauthenticated
			case user == "auditor" && write:
				return until, errors.New("auditors read")
			}
			return until, nil
		}
	})
	b.put("a", 1)
	for _, c := range []struct {
		user, password string
		read, write    esdb.ErrorCode // 0 when allowed
	}{
		{"", "", esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeUnauthenticated},
		{"auditor", "wrong", esdb.ErrorCodeUnauthenticated, esdb.ErrorCodeUnauthenticated},
		{"auditor", "p:w ü", 0, esdb.ErrorCodeAccessDenied},
		{"writer", "p:w ü", 0, 0},
	} {
		login := ""
		if c.user != "" {
			login = url.UserPassword(c.user, c.password).String() + "@"
		}
		client := b.dial("esdb://" + login + b.address + "?tlsCAFile=" + authority)
		stream, err := client.ReadStream(b.ctx, "a", esdb.ReadStreamOptions{}, 1)
		_, err = b.collect(stream, err)
		b.allowed(c.user+" reads", err, c.read)
		_, err = client.AppendToStream(b.ctx, "b", esdb.AppendToStreamOptions{}, news(2)...)
		b.allowed(c.user+" appends", err, c.write)
		_, err = client.DeleteStream(b.ctx, "b", esdb.DeleteStreamOptions{ExpectedRevision: esdb.Any{}})
		b.allowed(c.user+" deletes", err, c.write)
	}
}

func (b *bed) allowed(what string, err error, code esdb.ErrorCode) {
	b.Helper()
	if code != 0 {
		b.failsWith(what, err, code)
	} else if err != nil {
		b.Errorf("%s: %v", what, err)
	}
}

func TestCredentialsThatCannotBeReadAreNone(t *testing.T) {
	asked := 0
	b := serve(t, func(c *wireConfig) {
		c.Authorize = func(context.Context, string, string, bool) (until time.Time, err error) { asked++; return until, nil }
	})
	for _, header := range []string{"Bearer abc", "Basic", "Basic !", "Basic YQ=="} {
		ctx := metadata.AppendToOutgoingContext(b.ctx, "authorization", header)
		_, err := b.raw.Delete(ctx, &api.DeleteReq{})
		b.refuses(header, err, nil, codes.Unauthenticated)
	}
	ctx := metadata.AppendToOutgoingContext(b.ctx, "authorization", "basic YTpi")
	_, err := b.raw.Delete(ctx, &api.DeleteReq{})
	b.refuses("credentials", err, nil, codes.InvalidArgument)
	if asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
}

// broken is a store that panics, or fails in a way that nobody foresaw.
type broken struct{ eventstore.Store }

const secret = "the customer's secret"

func (broken) Append(context.Context, string, eventstore.Expected, []eventstore.Event) (eventstore.Appended, error) {
	panic(secret)
}

func (broken) ReadAll(context.Context, eventstore.Position, eventstore.Direction, int, eventstore.Filter) iter.Seq2[eventstore.Recorded, error] {
	return func(yield func(eventstore.Recorded, error) bool) { yield(eventstore.Recorded{}, errors.New(secret)) }
}

func TestAPanicFailsTheCallOnly(t *testing.T) {
	b := serve(t, func(c *wireConfig) { c.Store = broken{c.Store} })
	b.put("a", 1)
	_, _, err := b.append(options("a"), proposed(nil))
	b.refuses("append", err, nil, codes.Internal)
	_, err = b.raw.Delete(b.ctx, &api.DeleteReq{Options: &api.DeleteReq_Options{
		StreamIdentifier: options("a").GetOptions().StreamIdentifier, ExpectedStreamRevision: &api.DeleteReq_Options_Any{},
	}})
	b.refuses("delete", err, nil, codes.Internal)
	_, _, readErr := b.tryAnswers(all(nil))
	b.refuses("read", readErr, nil, codes.Internal)
	for what, text := range map[string]string{"answers": err.Error() + readErr.Error(), "log": b.logs.String()} {
		if strings.Contains(text, secret) {
			t.Errorf("the %s tell: %s", what, text)
		}
	}
	for _, want := range []string{"call panicked", "broken.Append", "type=string", "call failed", "Streams/Read"} {
		if !strings.Contains(b.logs.String(), want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	if got := b.answers(read("a", nil)); len(got) != 1 {
		t.Errorf("after it: %v", got)
	}
}

func TestOptionsMayInterceptCalls(t *testing.T) {
	b := serve(t, func(c *wireConfig) {
		c.Options = append(c.Options, grpc.ChainStreamInterceptor(
			func(srv any, call grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler) error {
				if info.FullMethod == api.Streams_Append_FullMethodName {
					return status.Error(codes.Unavailable, "a fault")
				}
				return handler(srv, call)
			}))
	})
	_, _, err := b.append(options("a"), proposed(nil))
	b.refuses("append", err, nil, codes.Unavailable)
}

func TestACallEndsWithItsCaller(t *testing.T) {
	b := serve(t)
	b.put("a", 1)
	ctx, cancel := context.WithCancel(b.ctx)
	req := all(nil)
	req.Options.CountOption = &api.ReadReq_Options_Subscription{}
	call, err := b.raw.Read(ctx, req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := call.Recv(); err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = call.Recv()
	}
	b.refuses("the caller", err, nil, codes.Canceled)
	deadline, stop := context.WithTimeout(b.ctx, time.Millisecond)
	defer stop()
	<-deadline.Done()
	_, err = b.raw.Delete(deadline, &api.DeleteReq{})
	b.refuses("a deadline", err, nil, codes.DeadlineExceeded)
}

func TestNothingIsLeftBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("use", func(t *testing.T) {
		b := serve(t)
		b.put("a", 5000)
		for _, req := range []*api.ReadReq{all(nil), read("a", nil), read("none", nil), fromEnd(byType("x"))} {
			b.follow(req).until("caught up")
			b.follow(req) // whose messages nobody takes
		}
		slow, err := b.raw.Read(b.ctx, read("a", nil))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := slow.Recv(); err != nil {
			t.Fatal(err)
		}
		b.server.Stop()
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(patience); runtime.NumGoroutine() > before; <-tick.C {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			stacks = stacks[:runtime.Stack(stacks, true)]
			own := slices.DeleteFunc(strings.Split(string(stacks), "\n\n"), func(s string) bool { return strings.Contains(s, "testing.") })
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), before, strings.Join(own, "\n\n"))
		}
	}
}
