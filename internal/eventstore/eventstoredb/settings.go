package eventstoredb

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Settings tell where a cluster is and how it is reached.
type Settings struct {
	config  esdb.Configuration
	servers string // for people: the hosts, without anything secret
}

// known are the settings of a connection string, in lower case. Those of passed are of other clients, and mean nothing here.
var (
	known = []string{
		"tls", "tlscafile", "tlsverifycert", "usercertfile", "userkeyfile", "discoveryinterval", "gossiptimeout",
		"nodepreference", "keepaliveinterval", "keepalivetimeout", "maxdiscoverattempts", "defaultdeadline",
	}
	passed = []string{"connectionname", "throwonappendfailure"}
)

// ParseSettings reads a connection string: esdb://user:password@host:port,host:port?tls=true&tlsCaFile=FILE, or esdb+discover://
// for a name behind which a cluster's nodes stand. kurrentdb:// and kurrentdb+discover:// mean the same. An error never
// repeats the string, which may hold a password.
func ParseSettings(connection string) (Settings, error) {
	scheme, rest, ok := strings.Cut(connection, "://")
	scheme = strings.Replace(scheme, "kurrentdb", "esdb", 1)
	if !ok || scheme != "esdb" && scheme != "esdb+discover" {
		return Settings{}, errors.New("the address of the event store must begin with esdb:// or esdb+discover://")
	}
	rest, err := cleaned(rest)
	if err != nil {
		return Settings{}, err
	}
	config, err := esdb.ParseConnectionString(scheme + "://" + rest)
	if err == nil {
		err = config.Validate()
	}
	if err != nil {
		return Settings{}, fmt.Errorf("the address of the event store: %w", unquoted(err))
	}
	if config.NodePreference != esdb.NodePreferenceLeader {
		return Settings{}, errors.New("the address of the event store: nodePreference must be leader: what was written has to be read at once")
	}
	if config.Username != "" && config.DisableTLS {
		return Settings{}, errors.New("the address of the event store: a user and password are sent over TLS only, and tls is false")
	}
	return Settings{config: *config, servers: serversOf(config)}, nil
}

// cleaned refuses a setting that does not exist, and leaves out those of other clients: the client would pass over both with a
// line on the console.
func cleaned(rest string) (string, error) {
	hosts, query, _ := strings.Cut(rest, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", errors.New("the address of the event store: its settings are malformed")
	}
	for name := range values {
		switch lower := strings.ToLower(name); {
		case slices.Contains(passed, lower):
			values.Del(name)
		case !slices.Contains(known, lower):
			return "", fmt.Errorf("the address of the event store: there is no setting %q", lower)
		}
	}
	return hosts + "?" + values.Encode(), nil
}

// unquoted is an error of the parser without the string that it quotes.
func unquoted(err error) error {
	if quoting, ok := errors.AsType[*url.Error](err); ok {
		return quoting.Err
	}
	return err
}

func serversOf(c *esdb.Configuration) string {
	if len(c.GossipSeeds) == 0 {
		return c.Address
	}
	hosts := make([]string, len(c.GossipSeeds))
	for i, seed := range c.GossipSeeds {
		hosts[i] = seed.String()
	}
	return strings.Join(hosts, ", ")
}

// String names the servers, and nothing secret.
func (s Settings) String() string { return s.servers }
