package protocol

// Opening what is sealed to a key that may be out of reach of this process: ECDH-ES+A256KW (RFC 7518 section 4.6, key
// derivation of section 4.6.2, unwrapping of RFC 3394). The key itself is asked for one thing only, the agreement
// with the sender's ephemeral key, which is what tokens (PKCS #11, TPM 2.0) and key services offer. go-jose reads the
// message around it. Left out on purpose: apu and apv, which this protocol never writes and parseHeader refuses.

import (
	"crypto"
	"crypto/aes"
	"crypto/ecdh"
	"crypto/ecdsa"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"

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

// decrypt opens sealed, whose header for key names this ephemeral key. ErrTampered means that it does not open. A key that
// cannot be used is as good as none: ErrNoRecipient, so that the request is left for an agent that has one.
func decrypt(sealed *jose.JSONWebEncryption, key Decrypter, ephemeral json.RawMessage) ([]byte, error) {
	u := unwrapper{key: key, ephemeral: ephemeral}
	text, err := sealed.Decrypt(&u)
	switch {
	case u.err != nil:
		return nil, fmt.Errorf("key %s: %w: %w", key.Thumbprint(), ErrNoRecipient, u.err)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrTampered, err)
	}
	return text, nil
}

// An unwrapper is what go-jose asks for the content's key. It keeps the Decrypter's error, which go-jose does not pass on.
type unwrapper struct {
	key       Decrypter
	ephemeral json.RawMessage // a JWK
	err       error
}

// DecryptKey implements jose.OpaqueKeyDecrypter.
func (u *unwrapper) DecryptKey(wrapped []byte, _ jose.Header) ([]byte, error) {
	var jwk jose.JSONWebKey
	if err := json.Unmarshal(u.ephemeral, &jwk); err != nil {
		return nil, fmt.Errorf("epk: %w", err)
	}
	public, ok := jwk.Key.(*ecdsa.PublicKey)
	if !ok {
		return nil, fmt.Errorf("epk: want a public EC key: %w", ErrMalformed)
	}
	ephemeral, err := public.ECDH()
	if err != nil || ephemeral.Curve() != ecdh.P256() {
		return nil, fmt.Errorf("epk: want a point on P-256: %w", ErrMalformed)
	}
	shared, err := u.key.ECDH(ephemeral)
	if err != nil {
		u.err = err
		return nil, err
	}
	block, err := aes.NewCipher(deriveWrappingKey(shared))
	if err != nil {
		return nil, fmt.Errorf("unwrap: %w", err)
	}
	return josecipher.KeyUnwrap(block, wrapped) //nolint:wrapcheck // go-jose passes none on
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
