package eventstoredb

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/EventStore/EventStore-Client-Go/v4/esdb"
)

// Settings tell where a cluster is and how it is reached.
type Settings struct {
	config  esdb.Configuration
	servers string // for people: the hosts, without anything secret
}

// known are the settings of a connection string, in lower case. Those of passed mean nothing here: they are of other clients,
// or about looking for a server again, which is the dialer's business.
var (
	known = []string{
		"tls", "tlscafile", "tlsverifycert", "usercertfile", "userkeyfile", "gossiptimeout",
		"nodepreference", "keepaliveinterval", "keepalivetimeout",
	}
	passed = []string{"connectionname", "throwonappendfailure", "discoveryinterval", "maxdiscoverattempts", "defaultdeadline"}
)

// ParseSettings reads a connection string: esdb://user:password@host:port,host:port?tls=true&tlsCaFile=FILE, or esdb+discover://
// for a name behind which a cluster's nodes stand. kurrentdb:// and kurrentdb+discover:// mean the same. An error never
// repeats what stands before the last @, where the password is: the string is taken apart here, and what the client says of
// it is not passed on.
func ParseSettings(connection string) (Settings, error) {
	scheme, rest, ok := strings.Cut(connection, "://")
	scheme = strings.Replace(scheme, "kurrentdb", "esdb", 1)
	if !ok || scheme != "esdb" && scheme != "esdb+discover" {
		return Settings{}, malformed("it begins with esdb://, esdb+discover:// or the same with kurrentdb")
	}
	rest, err := cleaned(rest)
	if err != nil {
		return Settings{}, err
	}
	config, err := esdb.ParseConnectionString(scheme + "://" + rest)
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return Settings{}, malformed("%w", path)
	}
	if err != nil {
		return Settings{}, malformed("it is like esdb://USER:PASSWORD@HOST:PORT,HOST:PORT?tls=true, with whole numbers and true or false for settings")
	}
	switch {
	case config.Validate() != nil:
		return Settings{}, malformed("userCertFile and userKeyFile are given together")
	case config.NodePreference != esdb.NodePreferenceLeader:
		return Settings{}, malformed("nodePreference must be leader: what was written has to be read at once")
	case config.Username != "" && config.Password == "":
		return Settings{}, malformed("a user has a password")
	case config.Username != "" && config.DisableTLS:
		return Settings{}, malformed("a user and password are sent over TLS only, and tls is false")
	}
	return Settings{config: *config, servers: serversOf(config)}, nil
}

func malformed(format string, args ...any) error {
	return fmt.Errorf("the address of the event store: "+format, args...)
}

// cleaned checks each part by itself, and leaves out the settings of other clients: about what it does not know, the client
// writes a line to the console.
func cleaned(rest string) (string, error) {
	before, query, _ := strings.Cut(rest, "?")
	user, hosts := "", before
	if at := strings.LastIndex(rest, "@"); at >= len(before) || strings.ContainsAny(rest[:max(at, 0)], "/#?") {
		return "", malformed("/ ? # @ and %% in a user or password are written as %%2F %%3F %%23 %%40 and %%25")
	} else if at >= 0 {
		user, hosts = rest[:at+1], before[at+1:]
	}
	if _, err := url.PathUnescape(user); err != nil || strings.Count(user, "@") > 1 {
		return "", malformed("/ ? # @ and %% in a user or password are written as %%2F %%3F %%23 %%40 and %%25")
	}
	for _, host := range strings.Split(strings.TrimSuffix(hosts, "/"), ",") {
		if err := checkHost(host); err != nil {
			return "", err
		}
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return "", malformed("its settings are malformed")
	}
	for name, given := range values {
		switch lower := strings.ToLower(name); {
		case slices.Contains(passed, lower):
			values.Del(name)
		case !slices.Contains(known, lower):
			return "", malformed("there is no setting %q", lower)
		case len(given) > 1:
			return "", malformed("the setting %q is given twice", lower)
		}
	}
	return user + hosts + "?" + values.Encode(), nil
}

func checkHost(host string) error {
	name, port, _ := strings.Cut(host, ":")
	if name == "" || strings.ContainsAny(name, "/#") {
		return malformed("every host has a name, and nothing stands behind the hosts but ? and settings")
	}
	if strings.Contains(host, ":") {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return malformed("the port of %s is a number from 1 to 65535", name)
		}
	}
	return nil
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
