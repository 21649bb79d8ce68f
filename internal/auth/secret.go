package auth

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// SecretFile is the name of the file in the data directory that holds the secret of the installation.
const SecretFile = "secret.key"

const secretBytes = 32

// Secret is what an installation's tokens are worth. Nodes that share it accept each other's. Every use has a key of its
// own that is derived from it.
type Secret struct{ material []byte }

// OpenSecret reads the secret of a data directory and makes one on first use, readable by the owner alone. Two processes
// that start at once end up with the same one.
func OpenSecret(dir string) (Secret, error) {
	path := filepath.Join(dir, SecretFile)
	secret, err := ReadSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return secret, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Secret{}, fmt.Errorf("auth: make the data directory: %w", err)
	}
	if err := createSecret(dir, path); err != nil {
		return Secret{}, fmt.Errorf("auth: make the secret: %w", err)
	}
	return ReadSecret(path)
}

// NewSecret makes a secret that is kept nowhere.
func NewSecret() Secret {
	material := make([]byte, secretBytes)
	_, _ = rand.Read(material) // never fails since Go 1.24
	return Secret{material}
}

// ReadSecret reads the secret that a file holds.
func ReadSecret(path string) (Secret, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return Secret{}, fmt.Errorf("auth: read the secret: %w", err)
	}
	material, err := base64.StdEncoding.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(material) != secretBytes {
		return Secret{}, fmt.Errorf("auth: %s does not hold %d bytes in base64", path, secretBytes)
	}
	return Secret{material}, nil
}

// createSecret writes a whole file aside and links it to its name, which fails when somebody else was first.
func createSecret(dir, path string) error {
	f, err := os.CreateTemp(dir, SecretFile+".*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.WriteString(base64.StdEncoding.EncodeToString(NewSecret().material) + "\n")
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(dir)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// derive makes the key of one use.
func (s Secret) derive(use string, length int) ([]byte, error) {
	key, err := hkdf.Key(sha256.New, s.material, nil, "chatwatch/"+use, length)
	if err != nil {
		return nil, fmt.Errorf("auth: derive the key of %s: %w", use, err)
	}
	return key, nil
}
