package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
)

// tokenCommand signs a bearer token.
type tokenCommand struct {
	Role    string        `help:"admin, staff, auditor or customer." required:"" enum:"admin,staff,auditor,customer"`
	Subject string        `help:"Who it is for: the staff id of staff, the session id of a customer." required:""`
	Name    string        `help:"A name to show."`
	TTL     time.Duration `help:"How long it is good for." default:"24h" name:"ttl"`
}

func (c *tokenCommand) Run(e *environment) error {
	tokens, err := e.tokens()
	if err != nil {
		return err
	}
	token, err := sign(tokens, c.Role, c.Subject, c.Name, c.TTL)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(e.stdout, token)
	return err
}

// secret is the key of the data directory, made when there is none.
func (e *environment) secret() (auth.Secret, error) {
	if err := os.MkdirAll(e.DataDir, 0o700); err != nil {
		return auth.Secret{}, fmt.Errorf("data directory: %w", err)
	}
	if e.KeyFile != "" {
		return auth.ReadSecret(e.KeyFile)
	}
	return auth.OpenSecret(e.DataDir)
}

// knownTokens are of a key that is there already.
func (e *environment) knownTokens() (*auth.Tokens, error) {
	file := e.KeyFile
	if file == "" {
		file = filepath.Join(e.DataDir, auth.SecretFile)
	}
	secret, err := auth.ReadSecret(file)
	if err != nil {
		return nil, fmt.Errorf("the server's key is needed (--data-dir, or --key-file): %w", err)
	}
	return auth.NewTokens(secret, clock)
}

func (e *environment) tokens() (*auth.Tokens, error) {
	secret, err := e.secret()
	if err != nil {
		return nil, err
	}
	return auth.NewTokens(secret, clock)
}

func sign(tokens *auth.Tokens, role, subject, name string, ttl time.Duration) (string, error) {
	now := clock()
	identity := auth.Identity{Subject: subject, Role: domain.Role(role), Name: name, Issued: now, Expires: now.Add(ttl)}
	if identity.Role == domain.RoleCustomer {
		identity.Session = domain.SessionID(subject)
	}
	return tokens.Sign(identity)
}

// signer signs the tokens of a simulation. They outlive any run.
func signer(tokens *auth.Tokens) func(role, subject, name string) (string, error) {
	return func(role, subject, name string) (string, error) {
		return sign(tokens, role, subject, name, 7*24*time.Hour)
	}
}

// clock is the time of everything that the program does: UTC, in whole milliseconds, as it is given out.
func clock() time.Time { return time.Now().UTC().Truncate(time.Millisecond) }
