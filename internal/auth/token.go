package auth

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/chatwatch/chatwatch/domain"
)

// Issuer and Audience of every token.
const (
	Issuer   = "chatwatch"
	Audience = "chatwatch"
)

// Bounds of a token and of those that are remembered.
const (
	maxToken       = 4 << 10
	DefaultCache   = 20_000
	maxClaimLength = 4 * domain.MaxName
)

// ErrUnauthenticated says that a token is forged, foreign, expired or no token at all.
var ErrUnauthenticated = errors.New("auth: the token is not valid")

// Identity is what a token says of its bearer.
type Identity struct {
	Subject string
	Role    domain.Role      // admin, staff, customer or auditor
	Session domain.SessionID // of a customer, the only one that the token is good for
	Name    string           // may be empty
	Issued  time.Time        // whole seconds
	Expires time.Time        // whole seconds
}

// Actor is the bearer as the log names them.
func (i Identity) Actor() domain.Actor { return domain.Actor{ID: i.Subject, Role: i.Role} }

func (i Identity) check() error {
	switch {
	case i.Subject == "":
		return errors.New("the subject is missing")
	case len(i.Subject) > maxClaimLength || len(i.Name) > maxClaimLength || len(i.Session) > maxClaimLength:
		return errors.New("a claim is too long")
	case i.Role == domain.RoleStaff && !domain.ValidID(i.Subject):
		return errors.New("the subject is not a staff id")
	case i.Role == domain.RoleCustomer && i.Session == "":
		return errors.New("the session of the customer is missing")
	}
	switch i.Role {
	case domain.RoleAdmin, domain.RoleStaff, domain.RoleCustomer, domain.RoleAuditor:
		return nil
	default:
		return fmt.Errorf("there is no role %q", i.Role)
	}
}

// Tokens signs and checks bearer tokens: JWTs with Ed25519, and no other algorithm.
type Tokens struct {
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	now     func() time.Time
	// verified remembers tokens by their hash, because checking a signature costs more than all the rest of a request.
	verified *lru.Cache[[sha256.Size]byte, Identity]
}

// NewTokens makes the tokens of an installation, by the given clock.
func NewTokens(secret Secret, now func() time.Time) (*Tokens, error) {
	seed, err := secret.derive("jwt", ed25519.SeedSize)
	if err != nil {
		return nil, err
	}
	verified, err := lru.New[[sha256.Size]byte, Identity](DefaultCache)
	if err != nil {
		return nil, fmt.Errorf("auth: cache of tokens: %w", err)
	}
	private := ed25519.NewKeyFromSeed(seed)
	return &Tokens{private: private, public: private.Public().(ed25519.PublicKey), now: now, verified: verified}, nil
}

// Sign makes the token of an identity.
func (t *Tokens) Sign(i Identity) (string, error) {
	if err := i.check(); err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	b := jwt.NewBuilder().Issuer(Issuer).Audience([]string{Audience}).Subject(i.Subject).
		IssuedAt(i.Issued).Expiration(i.Expires).Claim("role", string(i.Role))
	if i.Session != "" {
		b = b.Claim("session", string(i.Session))
	}
	if i.Name != "" {
		b = b.Claim("name", i.Name)
	}
	token, err := b.Build()
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	signed, err := jwt.Sign(token, jwt.WithKey(jwa.EdDSA(), t.private))
	if err != nil {
		return "", fmt.Errorf("auth: sign: %w", err)
	}
	return string(signed), nil
}

// Verify tells who the bearer of a token is. It fails with ErrUnauthenticated.
func (t *Tokens) Verify(token string) (Identity, error) {
	if token == "" || len(token) > maxToken {
		return Identity{}, ErrUnauthenticated
	}
	hash := sha256.Sum256([]byte(token))
	identity, known := t.verified.Get(hash)
	if !known {
		var err error
		if identity, err = t.parse(token); err != nil {
			return Identity{}, fmt.Errorf("%w: %w", ErrUnauthenticated, err)
		}
	}
	if !t.now().Before(identity.Expires) {
		t.verified.Remove(hash)
		return Identity{}, fmt.Errorf("%w: it has expired", ErrUnauthenticated)
	}
	if !known {
		t.verified.Add(hash, identity)
	}
	return identity, nil
}

func (t *Tokens) parse(signed string) (Identity, error) {
	token, err := jwt.Parse([]byte(signed), jwt.WithKey(jwa.EdDSA(), t.public), jwt.WithValidate(false))
	if err != nil {
		return Identity{}, err
	}
	if err := jwt.Validate(token, jwt.WithResetValidators(true), jwt.WithIssuer(Issuer), jwt.WithAudience(Audience),
		jwt.WithRequiredClaim(jwt.ExpirationKey)); err != nil {
		return Identity{}, err
	}
	var i Identity
	var role, session string
	i.Subject, _ = token.Subject()
	i.Issued, _ = token.IssuedAt()
	i.Expires, _ = token.Expiration()
	_ = token.Get("role", &role) // what is missing or of another type stays empty and is refused below
	_ = token.Get("session", &session)
	_ = token.Get("name", &i.Name)
	i.Role, i.Session = domain.Role(role), domain.SessionID(session)
	return i, i.check()
}
