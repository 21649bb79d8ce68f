package auth_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lestrrat-go/jwx/v3/jwa"
	"github.com/lestrrat-go/jwx/v3/jwt"

	"github.com/chatwatch/chatwatch/domain"
	"github.com/chatwatch/chatwatch/internal/auth"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func tokens(t testing.TB, secret auth.Secret, now func() time.Time) *auth.Tokens {
	t.Helper()
	made, err := auth.NewTokens(secret, now)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func at(instant time.Time) func() time.Time { return func() time.Time { return instant } }

func customer() auth.Identity {
	return auth.Identity{
		Subject: "customer-1", Role: domain.RoleCustomer, Session: "s-1", Name: "Ann", Issued: noon, Expires: noon.Add(time.Hour),
	}
}

func TestProcessesThatStartAtOnceShareOneSecretThatOnlyTheOwnerReads(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	signed := make([]string, 8)
	var group sync.WaitGroup
	for i := range signed {
		group.Go(func() {
			secret, err := auth.OpenSecret(dir)
			if err != nil {
				t.Error(err)
				return
			}
			signed[i], err = tokens(t, secret, at(noon)).Sign(customer())
			if err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, s := range signed {
		if s != signed[0] {
			t.Fatal("two secrets were in use")
		}
	}
	info, err := os.Stat(filepath.Join(dir, auth.SecretFile))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Fatalf("files were left behind: %v", entries)
	}
}

func TestASecretFileThatIsDamagedIsRefused(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, auth.SecretFile), []byte("c2hvcnQ="), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := auth.OpenSecret(dir); err == nil {
		t.Fatal("a short secret was accepted")
	}
}

func TestATokenTellsItsBearerUntilItExpires(t *testing.T) {
	now := noon
	made := tokens(t, auth.NewSecret(), func() time.Time { return now })
	signed, err := made.Sign(customer())
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // checked, then remembered
		got, err := made.Verify(signed)
		if err != nil || got != customer() {
			t.Fatalf("got %+v, %v", got, err)
		}
	}
	now = noon.Add(time.Hour)
	if _, err := made.Verify(signed); !errors.Is(err, auth.ErrUnauthenticated) {
		t.Fatalf("an expired token gave %v", err)
	}
}

func TestForgedAndForeignTokensAreRefused(t *testing.T) {
	secret := auth.NewSecret()
	made := tokens(t, secret, at(noon))
	good, _ := made.Sign(customer())
	foreign, _ := tokens(t, auth.NewSecret(), at(noon)).Sign(customer())
	parts := strings.Split(good, ".")
	claims := jwt.NewBuilder().Issuer(auth.Issuer).Audience([]string{auth.Audience}).Subject("boss").
		Claim("role", "admin").Expiration(noon.Add(time.Hour))
	token, _ := claims.Build()
	hmac, _ := jwt.Sign(token, jwt.WithKey(jwa.HS256(), []byte("0123456789abcdef0123456789abcdef")))
	none, _ := jwt.Sign(token, jwt.WithInsecureNoSignature())
	for name, forged := range map[string]string{
		"empty": "", "nonsense": "abc", "three dots": "a.b.c", "another key": foreign, "HMAC": string(hmac), "none": string(none),
		"no signature": parts[0] + "." + parts[1] + ".", "changed": parts[0] + "." + parts[1] + "x." + parts[2],
		"too long": strings.Repeat("a", 10_000),
	} {
		if _, err := made.Verify(forged); !errors.Is(err, auth.ErrUnauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestIdentitiesThatMakeNoSenseAreNotSigned(t *testing.T) {
	made := tokens(t, auth.NewSecret(), at(noon))
	for name, i := range map[string]auth.Identity{
		"no subject":                 {Role: domain.RoleAdmin},
		"unknown role":               {Subject: "x", Role: "root"},
		"system":                     {Subject: "x", Role: domain.RoleSystem},
		"customer without a session": {Subject: "x", Role: domain.RoleCustomer},
		"bad staff id":               {Subject: "No Such/Form", Role: domain.RoleStaff},
	} {
		if _, err := made.Sign(i); err == nil {
			t.Errorf("%s was signed", name)
		}
	}
}

func TestSealedNumbersOpenForTheirPurposeOnly(t *testing.T) {
	secret := auth.NewSecret()
	seals, err := auth.NewSeals(secret)
	if err != nil {
		t.Fatal(err)
	}
	mine := seals.Series("position", "")
	for _, n := range []uint64{0, 1, 1 << 40, ^uint64(0)} {
		if got, err := mine.Open(mine.Seal(n)); err != nil || got != n {
			t.Fatalf("%d came back as %d, %v", n, got, err)
		}
		if got, err := mine.Open(mine.SealSalted(n)); err != nil || got != n {
			t.Fatalf("%d came back as %d, %v", n, got, err)
		}
	}
	if mine.Seal(7) != mine.Seal(7) || mine.SealSalted(7) == mine.SealSalted(7) {
		t.Fatal("plain tokens are the same every time, salted ones never")
	}
	other, _ := auth.NewSeals(auth.NewSecret())
	token := mine.Seal(7)
	for name, foreign := range map[string]string{
		"another purpose": seals.Series("cursor", "").Seal(7), "another scope": seals.Series("position", "x").Seal(7),
		"another installation": other.Series("position", "").Seal(7), "empty": "", "number": "7",
		"cut": token[1:], "changed": "A" + token[1:21] + "A", "not base64": "!" + token[1:],
	} {
		if foreign == token {
			continue
		}
		if _, err := mine.Open(foreign); !errors.Is(err, auth.ErrForeignToken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSealedTextsOpenForTheirPurposeOnly(t *testing.T) {
	seals, err := auth.NewSeals(auth.NewSecret())
	if err != nil {
		t.Fatal(err)
	}
	token := seals.SealText("list", "b|2026")
	if got, err := seals.OpenText("list", token); err != nil || got != "b|2026" {
		t.Fatalf("got %q, %v", got, err)
	}
	for _, foreign := range []string{"", "x", token[2:], token + "AA", seals.SealText("other", "b|2026")} {
		if _, err := seals.OpenText("list", foreign); !errors.Is(err, auth.ErrForeignToken) {
			t.Errorf("%q: %v", foreign, err)
		}
	}
}

func TestAHashTellsWhereOnePartEnds(t *testing.T) {
	seals, _ := auth.NewSeals(auth.NewSecret())
	if seals.Hash([]byte("ab"), []byte("c")) == seals.Hash([]byte("a"), []byte("bc")) {
		t.Fatal("two requests have one hash")
	}
}

func BenchmarkVerifyRemembered(b *testing.B) {
	made := tokens(b, auth.NewSecret(), at(noon))
	signed, _ := made.Sign(customer())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := made.Verify(signed); err != nil {
			b.Fatal(err)
		}
	}
}
