package wire_test

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
)

func TestTheServerIsFound(t *testing.T) {
	b, second := serve(t), serve(t)
	_, port, err := net.SplitHostPort(b.address)
	if err != nil {
		t.Fatal(err)
	}
	for _, url := range []string{
		"esdb+discover://" + b.address + "?tls=false",
		"esdb+discover://localhost:" + port + "?tls=false",
		"esdb://" + b.address + "," + second.address + "?tls=false",
		"esdb://localhost:1," + b.address + "?tls=false&nodePreference=leader",
	} {
		client := b.dial(url)
		if _, err := client.AppendToStream(b.ctx, "a", esdb.AppendToStreamOptions{}, news(1)...); err != nil {
			t.Errorf("%s: %v", url, err)
		}
		version, err := client.GetServerVersion()
		if err != nil || fmt.Sprint(version.Major, version.Minor, version.Patch) != "24 10 0" {
			t.Errorf("%s: version %+v, %v", url, version, err)
		}
	}
}

func TestTheServerGivesTheAddressByWhichItWasCalled(t *testing.T) {
	b := serve(t)
	_, port, _ := net.SplitHostPort(b.address)
	for authority, want := range map[string]string{
		"":                     "127.0.0.1:" + port,
		"events.example:2113":  "events.example:2113",
		"[::1]:2113":           "[::1]:2113",
		"events.example":       "127.0.0.1:" + port, // no port is said, so it is that of the connection
		"events.example:99999": "127.0.0.1:" + port,
	} {
		options := []grpc.DialOption{grpc.WithTransportCredentials(insecure.NewCredentials())}
		if authority != "" {
			options = append(options, grpc.WithAuthority(authority))
		}
		conn, err := grpc.NewClient(b.address, options...)
		if err != nil {
			t.Fatal(err)
		}
		info, err := gossip.NewGossipClient(conn).Read(b.ctx, &shared.Empty{})
		if err != nil || len(info.Members) != 1 {
			t.Fatalf("%s: %v, %v", authority, info, err)
		}
		m := info.Members[0]
		if got := fmt.Sprintf("%s:%d", m.HttpEndPoint.Address, m.HttpEndPoint.Port); got != want {
			t.Errorf("called as %q: %s, want %s", authority, got, want)
		}
		if !m.IsAlive || m.State != gossip.MemberInfo_Leader || m.InstanceId.GetStructured() == nil || m.TimeStamp == 0 {
			t.Errorf("%v", m)
		}
		_ = conn.Close()
	}
}

func TestClientsAreToldToUseAppend(t *testing.T) {
	b := serve(t)
	methods, err := serverfeatures.NewServerFeaturesClient(b.connect()).GetSupportedMethods(b.ctx, &shared.Empty{})
	if err != nil {
		t.Fatal(err)
	}
	var streams []string
	for _, m := range methods.Methods {
		if m.ServiceName == "event_store.client.streams.streams" {
			streams = append(streams, m.MethodName)
		}
	}
	if want := []string{"read", "append", "delete", "tombstone"}; !slices.Equal(streams, want) {
		t.Errorf("%v, want %v", streams, want)
	}
}

// TestClientsMayPingEveryFewSeconds speaks HTTP/2 by hand, as no client pings this often: the third ping that is too early
// ends a connection, and by the default policy every one of these is. None comes without a call, which it forbids too.
func TestClientsMayPingEveryFewSeconds(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes 14 s")
	}
	t.Parallel()
	b := serve(t)
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	frame := func(kind byte, payload string) string {
		header := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
		return string(header) + "\x00\x00\x00\x00\x00" + payload
	}
	const settings, ping, goAway, ack = 4, 6, 7, 1
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"+frame(settings, "")); err != nil {
		t.Fatal(err)
	}
	answered := make(chan string)
	go func() {
		defer close(answered)
		in := bufio.NewReader(conn)
		for {
			header := make([]byte, 9)
			if _, err := io.ReadFull(in, header); err != nil {
				return
			}
			payload := make([]byte, binary.BigEndian.Uint32(header)>>8)
			if _, err := io.ReadFull(in, payload); err != nil {
				return
			}
			if kind, flags := header[3], header[4]; kind == goAway || kind == ping && flags == ack {
				answered <- strings.Trim(string(payload), "\x00")
			}
		}
	}()
	tick := time.NewTicker(3300 * time.Millisecond)
	defer tick.Stop()
	for n := range 5 {
		sent := fmt.Sprintf("ping no%d", n)
		if _, err := io.WriteString(conn, frame(ping, sent)); err != nil {
			t.Fatal(err)
		}
		if got := <-answered; got != sent {
			t.Fatalf("ping %d is answered with %q", n, got)
		}
		if n < 4 {
			<-tick.C
		}
	}
}

// TestAConnectionHasABoundOfCalls reads it in the first frame of a connection, where HTTP/2 tells it.
func TestAConnectionHasABoundOfCalls(t *testing.T) {
	b := serve(t)
	conn, err := net.Dial("tcp", b.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := io.WriteString(conn, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00"); err != nil {
		t.Fatal(err)
	}
	header := make([]byte, 9)
	if _, err := io.ReadFull(conn, header); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, binary.BigEndian.Uint32(header)>>8)
	if _, err := io.ReadFull(conn, payload); err != nil {
		t.Fatal(err)
	}
	const settings, maxConcurrentStreams = 4, 3
	told := map[uint16]uint32{}
	for ; header[3] == settings && len(payload) >= 6; payload = payload[6:] {
		told[binary.BigEndian.Uint16(payload)] = binary.BigEndian.Uint32(payload[2:])
	}
	if got := told[maxConcurrentStreams]; got != 10_000 {
		t.Errorf("%d calls, want 10000 (settings %v)", got, told)
	}
}
