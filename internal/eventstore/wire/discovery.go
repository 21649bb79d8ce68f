package wire

import (
	"context"
	"net"
	"strconv"
	"time"

	"github.com/EventStore/EventStore-Client-Go/v4/protos/gossip"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/serverfeatures"
	"github.com/EventStore/EventStore-Client-Go/v4/protos/shared"
	"github.com/google/uuid"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
)

// version is the server that this one behaves like. Clients take it apart, so it has digits only.
const version = "24.10.0"

// features tells what the server can do.
type features struct {
	serverfeatures.UnimplementedServerFeaturesServer
}

// GetSupportedMethods lists the methods, in the server's lower case. Without batchappend clients use Append.
func (features) GetSupportedMethods(context.Context, *shared.Empty) (*serverfeatures.SupportedMethods, error) {
	const streams, gossip, own = "event_store.client.streams.streams", "event_store.client.gossip.gossip",
		"event_store.client.server_features.serverfeatures"
	method := func(service, name string, features ...string) *serverfeatures.SupportedMethod {
		return &serverfeatures.SupportedMethod{ServiceName: service, MethodName: name, Features: features}
	}
	return &serverfeatures.SupportedMethods{
		EventStoreServerVersion: version,
		Methods: []*serverfeatures.SupportedMethod{
			method(streams, "read", "position", "events"), method(streams, "append"), method(streams, "delete"), method(streams, "tombstone"),
			method(gossip, "read"), method(own, "getsupportedmethods"),
		},
	}, nil
}

// member is this server as the one member of a cluster.
type member struct {
	gossip.UnimplementedGossipServer
	id *shared.UUID
}

func newMember() *member { return &member{id: structured(uuid.New())} }

// Read tells of this server, the leader, under the address that the caller knows it by: it cannot know of another that
// leads to it from there.
func (m *member) Read(ctx context.Context, _ *shared.Empty) (*gossip.ClusterInfo, error) {
	host, port := calledAs(ctx)
	return &gossip.ClusterInfo{Members: []*gossip.MemberInfo{{
		InstanceId:   m.id,
		TimeStamp:    ticks(time.Now()),
		State:        gossip.MemberInfo_Leader,
		IsAlive:      true,
		HttpEndPoint: &gossip.EndPoint{Address: host, Port: port},
	}}}, nil
}

// calledAs is the host and port that the caller has called, or those of the connection when it has not said.
func calledAs(ctx context.Context) (host string, port uint32) {
	for _, authority := range metadata.ValueFromIncomingContext(ctx, ":authority") {
		if host, port, ok := endpoint(authority); ok {
			return host, port
		}
	}
	if p, ok := peer.FromContext(ctx); ok && p.LocalAddr != nil {
		host, port, _ = endpoint(p.LocalAddr.String())
	}
	return host, port
}

// endpoint takes an address apart. An IPv6 address keeps its brackets, because clients put the two together with a colon.
func endpoint(address string) (host string, port uint32, ok bool) {
	_, digits, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, false
	}
	n, err := strconv.ParseUint(digits, 10, 16)
	return address[:len(address)-len(digits)-1], uint32(n), err == nil && n > 0
}
