package api_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const benchMessage = `{"visibility":"public","text":"Thank you for waiting. I have found your parcel: it is in the depot and comes tomorrow before noon."}`

// crowd makes sessions that ann serves.
func crowd(b *testing.B, n int) (*site, []chat) {
	b.Helper()
	s := peopled(b)
	s.put("/profiles/agent", s.admin(), object{"chat": true, "max_sessions": n, "queues": []string{"help"}}).is(200)
	chats := make([]chat, n)
	for i := range chats {
		chats[i] = s.engaged()
	}
	return s, chats
}

// BenchmarkMessagesOverHTTP is what 64 customers can write at once, each on a connection of their own. The load generator
// is part of the process.
func BenchmarkMessagesOverHTTP(b *testing.B) {
	const clients = 64
	s, chats := crowd(b, clients)
	address := strings.TrimPrefix(s.http.URL, "http://")
	var left atomic.Int64
	left.Store(int64(b.N))
	ended := make(chan error, clients)
	b.ResetTimer()
	for _, c := range chats {
		go func() { ended <- write(address, c, &left) }()
	}
	for range clients {
		if err := <-ended; err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// write sends messages on one connection, as a client that costs little would.
func write(address string, c chat, left *atomic.Int64) error {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	request := fmt.Appendf(nil, "POST /v1%s/messages HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
		c.path, c.customer, len(benchMessage), benchMessage)
	in := bufio.NewReader(conn)
	for left.Add(-1) >= 0 {
		if _, err := conn.Write(request); err != nil {
			return err
		}
		if err := readAnswer(in); err != nil {
			return err
		}
	}
	return nil
}

func readAnswer(in *bufio.Reader) error {
	length := 0
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if first && !bytes.Contains(line, []byte(" 201 ")) {
			return fmt.Errorf("answered %s", line)
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
		if len(bytes.TrimSpace(line)) == 0 {
			_, err := in.Discard(length)
			return err
		}
	}
}

// BenchmarkMessage is one message through the handler, 64 at a time, without the network.
func BenchmarkMessage(b *testing.B) {
	s, chats := crowd(b, 64)
	var next atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.RunParallel(func(pb *testing.PB) {
		c := chats[next.Add(1)%64]
		for pb.Next() {
			r := httptest.NewRequest(http.MethodPost, "/v1"+c.path+"/messages", strings.NewReader(benchMessage))
			r.Header.Set("Authorization", "Bearer "+c.customer)
			r.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			s.api.ServeHTTP(w, r)
			if w.Code != http.StatusCreated {
				b.Fatal(w.Body.String())
			}
			_, _ = io.Copy(io.Discard, w.Body)
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

// BenchmarkAcknowledgedToLiveStream is how much later than the answer to a message it reaches a stream that is open.
func BenchmarkAcknowledgedToLiveStream(b *testing.B) {
	s, chats := crowd(b, 1)
	c := chats[0]
	following := s.open(c.path+"/live", s.staff("ann"))
	following.until("AgentJoined")
	var late []time.Duration
	for b.Loop() {
		came := make(chan time.Time, 1)
		go func() { following.next(); came <- time.Now() }()
		s.say(c, c.customer, "public", "x").is(201)
		acknowledged := time.Now()
		late = append(late, max(0, (<-came).Sub(acknowledged)))
	}
	slices.Sort(late)
	b.ReportMetric(float64(late[len(late)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(late[len(late)*99/100].Microseconds())/1000, "p99-ms")
}
