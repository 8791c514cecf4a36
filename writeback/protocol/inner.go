package protocol

// The inner seal: one JWE (RFC 7516) in the JSON serialisation, ECDH-ES+A256KW on P-256 with A256GCM, one
// recipient for each enrolled active agent, because agents compete and the cloud cannot know who will take the
// request. With one recipient the serialisation is the flattened one, as the RFC has it. An agent keeps only its
// own recipient before it decrypts, so that a message costs one key agreement whatever it holds. decrypter.go has what is
// done for one key. As of the outer seal, the tests have go-jose on the other side.

import (
	"crypto/rand"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// sealedSecrets is what the inner JWE holds. The first three repeat the outer's, so that no inner can be moved
// into another request.
type sealedSecrets struct {
	TrackingID   TrackingID `json:"trackingId"`
	Operation    Operation  `json:"operation"`
	SourceAnchor string     `json:"sourceAnchor"`
	Old          string     `json:"old,omitempty"`
	New          string     `json:"new,omitempty"`
}

func sealSecrets(r Request, s Secrets, to []PublicKey) (json.RawMessage, error) {
	if len(to) == 0 || len(to) > MaxRecipients {
		return nil, fmt.Errorf("%d recipients: want 1 to %d: %w", len(to), MaxRecipients, ErrInvalid)
	}
	text, err := json.Marshal(sealedSecrets{r.TrackingID, r.Operation, r.SourceAnchor, s.Old.Reveal(), s.New.Reveal()})
	if err != nil {
		return nil, fmt.Errorf("write the secrets: %w", err)
	}
	contentKey := make([]byte, contentKeySize)
	_, _ = rand.Read(contentKey) // never fails: it ends the program instead
	jwe, err := addressed(to, contentKey)
	if err != nil {
		return nil, fmt.Errorf("seal the secrets: %w", err)
	}
	aead, err := newAEAD(contentKey)
	if err != nil {
		return nil, fmt.Errorf("seal the secrets: %w", err)
	}
	sealed := aead.Seal(nil, nil, text, []byte(jwe.Protected))
	end := len(sealed) - tagSize
	jwe.IV, jwe.Ciphertext, jwe.Tag = encodeBase64(sealed[:ivSize]), encodeBase64(sealed[ivSize:end]), encodeBase64(sealed[end:])
	written, err := json.Marshal(jwe)
	if err != nil {
		return nil, fmt.Errorf("write the secrets: %w", err)
	}
	return written, nil
}

// addressed is the JWE without its content: flattened for one key, where the protected header has all; for several the
// key's part is each recipient's.
func addressed(to []PublicKey, contentKey []byte) (jwe innerJWE, err error) {
	protected := []byte(sharedHeader)
	for _, key := range to {
		ephemeral, wrapped, err := wrap(key, contentKey)
		if err != nil {
			return jwe, err
		}
		if len(to) > 1 {
			jwe.Recipients = append(jwe.Recipients, innerRecipient{recipientHeader{jose.ECDH_ES_A256KW, key.Thumbprint(), ephemeral}, encodeBase64(wrapped)})
			continue
		}
		jwe.EncryptedKey = encodeBase64(wrapped)
		if protected, err = json.Marshal(header{jose.ECDH_ES_A256KW, jose.A256GCM, key.Thumbprint(), ephemeral}); err != nil {
			return jwe, fmt.Errorf("write a header: %w", err)
		}
	}
	jwe.Protected = encodeBase64(protected)
	return jwe, nil
}

// sharedHeader is the protected header of a general serialisation: whatever else is a recipient's.
const sharedHeader = `{"enc":"A256GCM"}`

// innerJWE is the JSON serialisation, general (recipients) or flattened (encrypted_key). What the RFC allows
// besides, an unprotected header and additional data, is refused as an unknown field.
type innerJWE struct {
	Protected    string           `json:"protected"`
	Recipients   []innerRecipient `json:"recipients,omitempty"`
	EncryptedKey string           `json:"encrypted_key,omitempty"`
	IV           string           `json:"iv"`
	Ciphertext   string           `json:"ciphertext"`
	Tag          string           `json:"tag"`
}

type innerRecipient struct {
	Header       recipientHeader `json:"header"`
	EncryptedKey string          `json:"encrypted_key"`
}

type recipientHeader struct {
	Algorithm jose.KeyAlgorithm `json:"alg"`
	KeyID     string            `json:"kid"`
	Ephemeral json.RawMessage   `json:"epk"`
}

// OpenSecrets opens what p seals to one of keys. ErrNoRecipient means that it is sealed to others alone, or that the key
// could not be used; ErrTampered, that it does not open, or belongs to another request.
func OpenSecrets(p Package, keys []Decrypter) (Secrets, error) {
	own, err := findRecipient(p.inner, keys)
	if err != nil {
		return Secrets{}, err
	}
	text, err := own.open()
	if err != nil {
		return Secrets{}, fmt.Errorf("the secrets: %w", err)
	}
	var s sealedSecrets
	if err := decodeStrict(text, &s); err != nil {
		return Secrets{}, fmt.Errorf("the secrets: %w", ErrTampered) // without the cause, which may quote them
	}
	r := p.Request
	if s.TrackingID != r.TrackingID || s.Operation != r.Operation || s.SourceAnchor != r.SourceAnchor {
		return Secrets{}, fmt.Errorf("the secrets are those of request %.40q: %w", s.TrackingID, ErrTampered)
	}
	secrets := Secrets{Old: NewSecret(s.Old), New: NewSecret(s.New)}
	return secrets, secrets.Validate(r.Operation)
}

// An ownRecipient is an inner JWE without the recipients that are not ours.
type ownRecipient struct {
	jwe       innerJWE
	key       Decrypter
	ephemeral json.RawMessage // the sender's key, as the header that is ours has it
	wrapped   string          // the content's key
}

func (o ownRecipient) open() ([]byte, error) {
	wrapped, err := decodeBase64([]byte(o.wrapped))
	if err != nil {
		return nil, err
	}
	sealed, err := joinSealed([]byte(o.jwe.IV), []byte(o.jwe.Ciphertext), []byte(o.jwe.Tag))
	if err != nil {
		return nil, err
	}
	return decrypt(o.key, o.ephemeral, wrapped, sealed, []byte(o.jwe.Protected))
}

// findRecipient reduces an inner JWE to the recipient that holds one of keys.
func findRecipient(text json.RawMessage, keys []Decrypter) (ownRecipient, error) {
	var jwe innerJWE
	if err := decodeStrict(text, &jwe); err != nil {
		return ownRecipient{}, fmt.Errorf("the secrets: %w", err)
	}
	if len(jwe.Recipients) == 0 {
		text, err := decodeBase64([]byte(jwe.Protected))
		if err != nil {
			return ownRecipient{}, fmt.Errorf("the secrets' protected header: %w", err)
		}
		h, err := readHeader(text, jose.ECDH_ES_A256KW)
		if err != nil {
			return ownRecipient{}, fmt.Errorf("the secrets: %w", err)
		}
		key, ours := holder(keys, h.KeyID)
		if !ours {
			return ownRecipient{}, ErrNoRecipient
		}
		return ownRecipient{jwe, key, h.Ephemeral, jwe.EncryptedKey}, nil
	}
	if len(jwe.Recipients) > MaxRecipients || jwe.EncryptedKey != "" {
		return ownRecipient{}, fmt.Errorf("the secrets have %d recipients: %w", len(jwe.Recipients), ErrMalformed)
	}
	if jwe.Protected != encodeBase64([]byte(sharedHeader)) {
		return ownRecipient{}, fmt.Errorf("the secrets' protected header: want enc %s alone: %w", jose.A256GCM, ErrMalformed)
	}
	for _, r := range jwe.Recipients {
		key, ours := holder(keys, r.Header.KeyID)
		if !ours {
			continue
		}
		if r.Header.Algorithm != jose.ECDH_ES_A256KW {
			return ownRecipient{}, fmt.Errorf("the secrets: algorithm %.40q, want %s: %w", r.Header.Algorithm, jose.ECDH_ES_A256KW, ErrMalformed)
		}
		return ownRecipient{jwe, key, r.Header.Ephemeral, r.EncryptedKey}, nil
	}
	return ownRecipient{}, ErrNoRecipient
}
