package protocol

import (
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// A PackageKey is the tenant's symmetric key: whoever holds it is the tenant's cloud or one of its agents.
type PackageKey struct {
	ID  string // kid
	key Secret // 32 bytes, base64url
}

const contentKeySize = 32 // bytes: A256GCM

// NewPackageKey draws a key.
func NewPackageKey() (PackageKey, error) {
	raw := make([]byte, contentKeySize+8)
	if _, err := rand.Read(raw); err != nil {
		return PackageKey{}, fmt.Errorf("draw a package key: %w", err)
	}
	encode := base64.RawURLEncoding.EncodeToString
	return PackageKey{ID: encode(raw[contentKeySize:]), key: NewSecret(encode(raw[:contentKeySize]))}, nil
}

// ParsePackageKey reads a key from its id and its 32 bytes in base64url.
func ParsePackageKey(id string, key Secret) (PackageKey, error) {
	k := PackageKey{ID: id, key: key}
	if _, err := k.bytes(); err != nil || id == "" || len(id) > MaxText {
		return PackageKey{}, fmt.Errorf("package key %.40q: want an id and %d bytes in base64url: %w", id, contentKeySize, ErrInvalid)
	}
	return k, nil
}

func (k PackageKey) bytes() ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(k.key.Reveal())
	if err != nil || len(raw) != contentKeySize {
		return nil, ErrInvalid // not the decoding error, which quotes the key
	}
	return raw, nil
}

// aead is the key's A256GCM.
func (k PackageKey) aead() (cipher.AEAD, error) {
	raw, err := k.bytes()
	if err != nil {
		return nil, fmt.Errorf("package key %s: %w", k.ID, err)
	}
	return newAEAD(raw)
}

// newAEAD is A256GCM for a key of contentKeySize. It draws an initialisation vector for each message, and puts it first.
func newAEAD(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("A256GCM: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return nil, fmt.Errorf("A256GCM: %w", err)
	}
	return aead, nil
}

// A PrivateKey is an agent's: P-256, made on its disk, never sent. It is a Decrypter.
type PrivateKey struct {
	key      *ecdsa.PrivateKey
	exchange *ecdh.PrivateKey // the same key
	public   PublicKey
}

// A PublicKey is what the cloud seals an agent's secrets to.
type PublicKey struct {
	key        *ecdsa.PublicKey
	thumbprint string // computed once: every message asks for it
}

func newPrivateKey(key *ecdsa.PrivateKey) (PrivateKey, error) {
	exchange, err := key.ECDH()
	if err != nil {
		return PrivateKey{}, fmt.Errorf("agent's key: %w", err)
	}
	return PrivateKey{key: key, exchange: exchange, public: newPublicKey(&key.PublicKey)}, nil
}

func newPublicKey(key *ecdsa.PublicKey) PublicKey {
	sum, err := (&jose.JSONWebKey{Key: key}).Thumbprint(crypto.SHA256)
	if err != nil {
		return PublicKey{key: key} // only for a point that is not on the curve, which UnmarshalJSON refuses
	}
	return PublicKey{key: key, thumbprint: base64.RawURLEncoding.EncodeToString(sum)}
}

// NewPrivateKey makes an agent's key.
func NewPrivateKey() (PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("make an agent's key: %w", err)
	}
	return newPrivateKey(key)
}

const pemPrivateKey = "PRIVATE KEY"

// PEM is the key in PKCS #8, for a file that only the agent may read.
func (k PrivateKey) PEM() ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(k.key)
	if err != nil {
		return nil, fmt.Errorf("write an agent's key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: pemPrivateKey, Bytes: der}), nil
}

// ParsePrivateKey reads what PEM wrote.
func ParsePrivateKey(text []byte) (PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != pemPrivateKey {
		return PrivateKey{}, fmt.Errorf("agent's key: want a PEM block %q: %w", pemPrivateKey, ErrInvalid)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return PrivateKey{}, fmt.Errorf("agent's key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || key.Curve != elliptic.P256() {
		return PrivateKey{}, fmt.Errorf("agent's key: want ECDSA on P-256: %w", ErrInvalid)
	}
	return newPrivateKey(key)
}

// Public is the half that travels.
func (k PrivateKey) Public() PublicKey { return k.public }

// Thumbprint is that of the public half.
func (k PrivateKey) Thumbprint() string { return k.Public().Thumbprint() }

// ECDH implements Decrypter.
func (k PrivateKey) ECDH(ephemeral *ecdh.PublicKey) ([]byte, error) {
	return k.exchange.ECDH(ephemeral) //nolint:wrapcheck // decrypt does
}

// Format keeps a private key out of every print.
func (k PrivateKey) Format(f fmt.State, _ rune) { fmt.Fprint(f, redacted) }

// MarshalText keeps a private key out of every encoder that asks.
func (k PrivateKey) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// IsZero reports whether there is no key.
func (k PublicKey) IsZero() bool { return k.key == nil }

// Thumbprint is the key's kid: RFC 7638, SHA-256, base64url. Empty for the zero key.
func (k PublicKey) Thumbprint() string { return k.thumbprint }

// String is the thumbprint.
func (k PublicKey) String() string { return k.Thumbprint() }

// MarshalJSON writes a JWK (RFC 7517) with kid.
func (k PublicKey) MarshalJSON() ([]byte, error) {
	if k.key == nil {
		return []byte("null"), nil
	}
	text, err := json.Marshal(&jose.JSONWebKey{Key: k.key, KeyID: k.thumbprint})
	if err != nil {
		return nil, fmt.Errorf("write a public key: %w", err)
	}
	return text, nil
}

// UnmarshalJSON reads a JWK: a public EC key on P-256, and nothing else.
func (k *PublicKey) UnmarshalJSON(text []byte) error {
	if string(text) == "null" {
		*k = PublicKey{}
		return nil
	}
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(text, &jwk); err != nil {
		return fmt.Errorf("public key: %w", err)
	}
	key, ok := jwk.Key.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() || !jwk.Valid() {
		return fmt.Errorf("public key: want a public EC key on P-256: %w", ErrInvalid)
	}
	*k = newPublicKey(key)
	return nil
}
