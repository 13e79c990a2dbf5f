// Package seal encrypts what must not lie in the database in the clear:
// registry passwords, webhook tokens, secret keys.
//
// A [Box] holds one key of 32 bytes. Sealed bytes are
//
//	version (1) | key id (8) | nonce (24) | XChaCha20-Poly1305 ciphertext and tag
//
// The context says what the bytes are and whose; it is authenticated and not
// stored, so that a sealed value moved to another row or account does not open.
// The key id is derived from the key and tells a wrong key from damaged bytes.
package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	version   = 1
	idSize    = 8
	headSize  = 1 + idSize
	nonceSize = chacha20poly1305.NonceSizeX
)

// ErrOtherKey says that bytes were sealed with another key.
var ErrOtherKey = errors.New("cannot be opened with this key: it was sealed with another one; " +
	"restore the encryption.key file of the data directory, or the DOGWATCH_ENCRYPTION_KEY it was sealed with")

// ErrDamaged says that sealed bytes were changed or belong elsewhere.
var ErrDamaged = errors.New("cannot be opened: the sealed bytes were changed, or moved from another place; enter the secret again")

// Box seals and opens with one key.
type Box struct {
	aead   cipher.AEAD
	id     [idSize]byte
	random io.Reader
}

// New returns a box for a key of 32 bytes.
func New(key []byte) (*Box, error) {
	aead, err := chacha20poly1305.NewX(key)
	if err != nil {
		return nil, fmt.Errorf("seal: a key has %d bytes, not %d", chacha20poly1305.KeySize, len(key))
	}
	b := &Box{aead: aead, random: rand.Reader}
	sum := sha256.Sum256(append([]byte("dogwatch key id\x00"), key...))
	copy(b.id[:], sum[:])
	return b, nil
}

// Seal encrypts plain for the given context.
func (b *Box) Seal(plain []byte, context string) ([]byte, error) {
	out := make([]byte, headSize+nonceSize, headSize+nonceSize+len(plain)+b.aead.Overhead())
	out[0] = version
	copy(out[1:], b.id[:])
	if _, err := io.ReadFull(b.random, out[headSize:]); err != nil {
		return nil, fmt.Errorf("seal: random bytes: %w", err)
	}
	return b.aead.Seal(out, out[headSize:], plain, b.bind(out[:headSize], context)), nil
}

// Open decrypts what Seal made for the same context.
func (b *Box) Open(sealed []byte, context string) ([]byte, error) {
	if len(sealed) < headSize+nonceSize+b.aead.Overhead() || sealed[0] != version {
		return nil, fmt.Errorf("seal: %s: %w", context, ErrDamaged)
	}
	head, nonce, body := sealed[:headSize], sealed[headSize:headSize+nonceSize], sealed[headSize+nonceSize:]
	if !bytes.Equal(head[1:], b.id[:]) {
		return nil, fmt.Errorf("seal: %s: %w", context, ErrOtherKey)
	}
	plain, err := b.aead.Open(nil, nonce, body, b.bind(head, context))
	if err != nil {
		return nil, fmt.Errorf("seal: %s: %w", context, ErrDamaged)
	}
	return plain, nil
}

// bind is the associated data: the head and the context.
func (b *Box) bind(head []byte, context string) []byte {
	return append(bytes.Clone(head), context...)
}
