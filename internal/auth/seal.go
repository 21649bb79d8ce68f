package auth

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrForeignToken says that a sealed token was not made here for this purpose.
var ErrForeignToken = errors.New("auth: the token was not made for this")

// Seals makes opaque tokens of what callers may hold but not read, and hashes that only this installation can make.
type Seals struct {
	numbers cipher.Block
	texts   cipher.AEAD
	mac     []byte
}

// NewSeals makes the seals of an installation.
func NewSeals(secret Secret) (*Seals, error) {
	numberKey, err1 := secret.derive("numbers", 32)
	textKey, err2 := secret.derive("texts", 32)
	mac, err3 := secret.derive("mac", 32)
	if err := errors.Join(err1, err2, err3); err != nil {
		return nil, err
	}
	numbers, err1 := aes.NewCipher(numberKey)
	block, err2 := aes.NewCipher(textKey)
	if err := errors.Join(err1, err2); err != nil {
		return nil, fmt.Errorf("auth: ciphers: %w", err)
	}
	texts, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("auth: ciphers: %w", err)
	}
	return &Seals{numbers: numbers, texts: texts, mac: mac}, nil
}

// Series seals numbers of one purpose and scope. A token of one series is foreign to every other.
type Series struct {
	block cipher.Block
	check uint32
}

// Series of numbers for a purpose, such as cursors, within a scope, such as a session.
func (s *Seals) Series(purpose, scope string) Series {
	return Series{s.numbers, binary.BigEndian.Uint32(s.digest([]byte("series"), []byte(purpose), []byte(scope)))}
}

// A sealed number is one AES block, 22 characters: the number, four bytes of salt, and four that tell its series. A block
// cipher shows of two blocks only whether they are the same, so neither order nor distance can be told.
const sealedNumber = 22

// Seal makes the token of a number, the same one every time.
func (s Series) Seal(n uint64) string { return s.seal(n, 0) }

// SealSalted makes a token that cannot even be compared with another one of the same number.
func (s Series) SealSalted(n uint64) string {
	var salt [4]byte
	_, _ = rand.Read(salt[:])
	return s.seal(n, binary.BigEndian.Uint32(salt[:]))
}

func (s Series) seal(n uint64, salt uint32) string {
	var block [aes.BlockSize]byte
	binary.BigEndian.PutUint64(block[:], n)
	binary.BigEndian.PutUint32(block[8:], salt)
	binary.BigEndian.PutUint32(block[12:], s.check)
	s.block.Encrypt(block[:], block[:])
	return base64.RawURLEncoding.EncodeToString(block[:])
}

// Open returns the number of a token. It fails with ErrForeignToken.
func (s Series) Open(token string) (uint64, error) {
	if len(token) != sealedNumber {
		return 0, ErrForeignToken
	}
	block, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(block) != aes.BlockSize {
		return 0, ErrForeignToken
	}
	s.block.Decrypt(block, block)
	if binary.BigEndian.Uint32(block[12:]) != s.check {
		return 0, ErrForeignToken
	}
	return binary.BigEndian.Uint64(block), nil
}

// SealText makes the token of a text for a purpose, the same one every time. Its length tells the text's.
func (s *Seals) SealText(purpose, text string) string {
	nonce := s.digest([]byte("nonce"), []byte(purpose), []byte(text))[:s.texts.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.texts.Seal(nonce, nonce, []byte(text), []byte(purpose)))
}

// OpenText returns the text of a token. It fails with ErrForeignToken.
func (s *Seals) OpenText(purpose, token string) (string, error) {
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(sealed) < s.texts.NonceSize() {
		return "", ErrForeignToken
	}
	nonce, sealed := sealed[:s.texts.NonceSize()], sealed[s.texts.NonceSize():]
	text, err := s.texts.Open(nil, nonce, sealed, []byte(purpose))
	if err != nil {
		return "", ErrForeignToken
	}
	return string(text), nil
}

// Hash tells two requests apart without telling anything of them.
func (s *Seals) Hash(parts ...[]byte) string {
	return base64.RawURLEncoding.EncodeToString(s.digest(append([][]byte{[]byte("hash")}, parts...)...))
}

// digest is a keyed hash of a list: where one part ends and the next begins counts.
func (s *Seals) digest(parts ...[]byte) []byte {
	mac := hmac.New(sha256.New, s.mac)
	var length [8]byte
	for _, p := range parts {
		binary.BigEndian.PutUint64(length[:], uint64(len(p)))
		mac.Write(length[:])
		mac.Write(p)
	}
	return mac.Sum(nil)
}

// Number is the hash of one part as a number.
func (s *Seals) Number(part []byte) uint64 {
	return binary.BigEndian.Uint64(s.digest([]byte("number"), part))
}
