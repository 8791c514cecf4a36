package protocol

// Sealing to, and opening with, a key that may be out of reach of this process: ECDH-ES+A256KW (RFC 7518 section 4.6, key
// derivation of section 4.6.2; wrapping of RFC 3394, by go-jose's cipher package). The private key is asked for one thing
// only, the agreement with the sender's ephemeral key, which is what tokens (PKCS #11, TPM 2.0) and key services offer.
// Left out on purpose: apu and apv, which this protocol never writes and readHeader refuses.

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"
	josecipher "github.com/go-jose/go-jose/v4/cipher"
)

// A Decrypter is the private half of a key that messages are sealed to, wherever it is kept: PrivateKey has it in
// memory. It is used by several requests at once.
type Decrypter interface {
	// Thumbprint is the key's kid (PublicKey.Thumbprint). It is asked for at each message.
	Thumbprint() string
	// ECDH agrees on the shared secret with an ephemeral public key on P-256, as ecdh.KeyExchanger has it. An error
	// means that the key cannot be used now: the request is left for another agent, or another try.
	ECDH(ephemeral *ecdh.PublicKey) ([]byte, error)
}

const wrappingKeySize = 32 // bytes: A256KW

// wrap makes contentKey one that key alone opens, by an agreement with an ephemeral key of its own, a JWK.
func wrap(key PublicKey, contentKey []byte) (ephemeral json.RawMessage, wrapped []byte, err error) {
	public, err := key.key.ECDH()
	if err != nil {
		return nil, nil, fmt.Errorf("key %s: %w", key.Thumbprint(), err)
	}
	own, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("draw an ephemeral key: %w", err)
	}
	shared, err := own.ECDH(public)
	if err != nil {
		return nil, nil, fmt.Errorf("key %s: %w", key.Thumbprint(), err)
	}
	block, err := aes.NewCipher(deriveWrappingKey(shared))
	if err != nil {
		return nil, nil, fmt.Errorf("wrap: %w", err)
	}
	if wrapped, err = josecipher.KeyWrap(block, contentKey); err != nil {
		return nil, nil, fmt.Errorf("wrap: %w", err)
	}
	point := own.PublicKey().Bytes()[1:] // after the mark of an uncompressed point: x and y
	ephemeral, err = json.Marshal(ephemeralKey{"EC", "P-256", encodeBase64(point[:coordinateSize]), encodeBase64(point[coordinateSize:])})
	if err != nil {
		return nil, nil, fmt.Errorf("write an ephemeral key: %w", err)
	}
	return ephemeral, wrapped, nil
}

// decrypt opens sealed under the content's key that is wrapped for key. ErrTampered means that it does not open. A key that
// cannot be used is as good as none: ErrNoRecipient, so that the request is left for an agent that has one.
func decrypt(key Decrypter, ephemeral json.RawMessage, wrapped, sealed, protected []byte) ([]byte, error) {
	public, err := parseEphemeral(ephemeral)
	if err != nil {
		return nil, err
	}
	shared, err := key.ECDH(public)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w: %w", key.Thumbprint(), ErrNoRecipient, err)
	}
	block, err := aes.NewCipher(deriveWrappingKey(shared))
	if err != nil {
		return nil, fmt.Errorf("unwrap: %w", err)
	}
	contentKey, err := josecipher.KeyUnwrap(block, wrapped)
	if err != nil {
		return nil, fmt.Errorf("unwrap: %w: %w", ErrTampered, err)
	}
	if len(contentKey) != contentKeySize {
		return nil, fmt.Errorf("a content key of %d bytes, want %d: %w", len(contentKey), contentKeySize, ErrTampered)
	}
	aead, err := newAEAD(contentKey)
	if err != nil {
		return nil, err
	}
	text, err := aead.Open(nil, nil, sealed, protected)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return text, nil
}

// ephemeralKey is a JWK of an EC key (RFC 7518 section 6.2.1).
type ephemeralKey struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	X     string `json:"x"`
	Y     string `json:"y"`
}

const (
	coordinateSize    = 32 // bytes, of P-256
	uncompressedPoint = 4  // SEC 1 section 2.3.3
)

// parseEphemeral reads a public key on P-256. Further members are ignored, as RFC 7518 section 4.6.1.1 allows.
func parseEphemeral(text json.RawMessage) (*ecdh.PublicKey, error) {
	var jwk ephemeralKey
	if err := json.Unmarshal(text, &jwk); err != nil || jwk.Type != "EC" || jwk.Curve != "P-256" {
		return nil, fmt.Errorf("epk: want an EC key on P-256: %w", ErrTampered)
	}
	x, err := decodeBase64([]byte(jwk.X))
	if err != nil {
		return nil, fmt.Errorf("epk: %w", err)
	}
	y, err := decodeBase64([]byte(jwk.Y))
	if err != nil {
		return nil, fmt.Errorf("epk: %w", err)
	}
	if len(x) != coordinateSize || len(y) != coordinateSize {
		return nil, fmt.Errorf("epk: want coordinates of %d bytes: %w", coordinateSize, ErrTampered)
	}
	public, err := ecdh.P256().NewPublicKey(slices.Concat([]byte{uncompressedPoint}, x, y))
	if err != nil {
		return nil, fmt.Errorf("epk: want a point on P-256: %w: %w", ErrTampered, err)
	}
	return public, nil
}

// deriveWrappingKey is Concat KDF with AlgorithmID ECDH-ES+A256KW, empty party infos and the key's size in bits.
func deriveWrappingKey(shared []byte) []byte {
	prefixed := func(s string) []byte { return append(binary.BigEndian.AppendUint32(nil, uint32(len(s))), s...) }
	size := binary.BigEndian.AppendUint32(nil, 8*wrappingKeySize)
	kdf := josecipher.NewConcatKDF(crypto.SHA256, shared, prefixed(string(jose.ECDH_ES_A256KW)), prefixed(""), prefixed(""), size, nil)
	key := make([]byte, wrappingKeySize)
	_, _ = io.ReadFull(kdf, key) // it never fails
	return key
}

// holder is the one of keys that kid names.
func holder(keys []Decrypter, kid string) (Decrypter, bool) {
	for _, k := range keys {
		if k.Thumbprint() == kid {
			return k, true
		}
	}
	return nil, false
}
