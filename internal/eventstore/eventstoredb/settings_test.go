package eventstoredb_test

import (
	"strings"
	"testing"

	"github.com/chatwatch/chatwatch/internal/eventstore/eventstoredb"
)

func TestSettingsAreReadFromAConnectionString(t *testing.T) {
	for address, servers := range map[string]string{
		"esdb://127.0.0.1:2113?tls=false":                                       "127.0.0.1:2113",
		"esdb://node?tls=false":                                                 "node:2113",
		"kurrentdb://admin:changeit@node:2113":                                  "node:2113",
		"esdb://admin:changeit@a:2111,b:2112,c:2113?tls=true":                   "a:2111, b:2112, c:2113",
		"esdb+discover://admin:p%40ss@cluster.example.com?tlsVerifyCert=false":  "cluster.example.com:2113",
		"kurrentdb+discover://cluster.example.com?tls=false&connectionName=me":  "cluster.example.com:2113",
		"esdb://127.0.0.1:2113/?tls=false&keepAliveInterval=10000":              "127.0.0.1:2113",
		"esdb://127.0.0.1:2113?tls=false&nodePreference=leader&gossipTimeout=2": "127.0.0.1:2113",
	} {
		settings, err := eventstoredb.ParseSettings(address)
		if err != nil || settings.String() != servers {
			t.Errorf("%s: %q %v, want %q", address, settings, err, servers)
		}
	}
}

func TestBadSettingsAreRefusedWithoutRepeatingThem(t *testing.T) {
	for address, want := range map[string]string{
		"":                                                                "esdb://",
		"127.0.0.1:2113":                                                  "esdb://",
		"http://127.0.0.1:2113":                                           "kurrentdb",
		"postgres://admin:s3cret@host":                                    "esdb://",
		"esdb://admin:s3cret@":                                            "name",
		"esdb://admin:s3cret@host:port":                                   "the port of host",
		"esdb://admin:s3cret@host:99999":                                  "65535",
		"esdb://admin:s3cret@host:2113?tls=perhaps":                       "true or false",
		"esdb://admin:s3cret@host:2113?tslCaFile=x":                       `"tslcafile"`,
		"esdb://admin:s3cret@host:2113?tls=true&tls=false":                "twice",
		"esdb://admin:s3cret@host:2113?tlsCaFile=/no/such/file":           "no such file",
		"esdb://admin:s3cret@host:2113?nodePreference=follower":           "leader",
		"esdb://admin:s3cret@host:2113?tls=false":                         "TLS",
		"esdb://admin@host:2113":                                          "password",
		"esdb://admin:s3cret@a:1,b:2:3?tls=true":                          "the port of b",
		"esdb://admin:s3cret@a,,b":                                        "name",
		"esdb://admin:s3%zzcret@host:2113":                                "%25",
		"esdb://admin:s3/cret@host:2113":                                  "%2F",
		"esdb://admin:s3#cret@host:2113":                                  "%23",
		"esdb://admin:s3?cret@host:2113":                                  "%3F",
		"esdb://admin:s3@cret@host:2113":                                  "%40",
		"esdb://admin:s3cret@host:2113?a=%zz":                             "malformed",
		"esdb://admin:s3cret@host:2113?userCertFile=/a":                   "userKeyFile",
		"esdb://admin:s3cret@host:2113/path?tls=true&keepAliveInterval=x": "port",
		"esdb://admin:s3cret@host:2113?keepAliveInterval=x":               "whole numbers",
	} {
		_, err := eventstoredb.ParseSettings(address)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to tell of %q", address, err, want)
		}
		if err != nil && (strings.Contains(err.Error(), "s3") || strings.Contains(err.Error(), "cret")) {
			t.Errorf("%s: the password is told: %v", address, err)
		}
	}
}
