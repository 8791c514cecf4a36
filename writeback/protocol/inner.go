package protocol

// The inner seal: one JWE (RFC 7516) in the JSON serialisation, ECDH-ES+A256KW on P-256 with A256GCM, one
// recipient for each enrolled active agent, because agents compete and the cloud cannot know who will take the
// request. With one recipient the serialisation is the flattened one, as the RFC has it. An agent keeps only its
// own recipient before it decrypts, so that a message costs one key agreement whatever it holds.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

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
	recipients := make([]jose.Recipient, len(to))
	for i, key := range to {
		recipients[i] = jose.Recipient{Algorithm: jose.ECDH_ES_A256KW, Key: key.key, KeyID: key.Thumbprint()}
	}
	encrypter, err := jose.NewMultiEncrypter(jose.A256GCM, recipients, nil)
	if err != nil {
		return nil, fmt.Errorf("seal the secrets: %w", err)
	}
	text, err := json.Marshal(sealedSecrets{r.TrackingID, r.Operation, r.SourceAnchor, s.Old.Reveal(), s.New.Reveal()})
	if err != nil {
		return nil, fmt.Errorf("write the secrets: %w", err)
	}
	sealed, err := encrypter.Encrypt(text)
	if err != nil {
		return nil, fmt.Errorf("seal the secrets: %w", err)
	}
	if len(to) == 1 {
		return json.RawMessage(sealed.FullSerialize()), nil
	}
	return withoutStrayKey(sealed.FullSerialize())
}

// withoutStrayKey removes the first recipient's key from beside the recipients, where go-jose v4.1 leaves it and
// RFC 7516 section 7.2.1 has it only in the flattened form.
func withoutStrayKey(text string) (json.RawMessage, error) {
	var jwe innerJWE
	if err := decodeStrict([]byte(text), &jwe); err != nil {
		return nil, err
	}
	if len(jwe.Recipients) > 0 {
		jwe.EncryptedKey = ""
	}
	clean, err := json.Marshal(jwe)
	if err != nil {
		return nil, fmt.Errorf("write the secrets: %w", err)
	}
	return clean, nil
}

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
	sealed, err := own.jwe.parse()
	if err != nil {
		return Secrets{}, fmt.Errorf("the secrets: %w: %w", ErrTampered, err)
	}
	text, err := decrypt(sealed, own.key, own.ephemeral)
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

// parse has go-jose read it. The flattened form, which keeps nothing of a recipient outside the protected header, is read
// as the compact serialisation that it has too (RFC 7516 section 7.1): no JSON once more.
func (jwe innerJWE) parse() (*jose.JSONWebEncryption, error) {
	algorithms, encryptions := []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM}
	if len(jwe.Recipients) == 0 {
		compact := strings.Join([]string{jwe.Protected, jwe.EncryptedKey, jwe.IV, jwe.Ciphertext, jwe.Tag}, ".")
		return jose.ParseEncryptedCompact(compact, algorithms, encryptions) //nolint:wrapcheck // OpenSecrets does
	}
	text, err := json.Marshal(jwe)
	if err != nil {
		return nil, err //nolint:wrapcheck // OpenSecrets does
	}
	return jose.ParseEncryptedJSON(string(text), algorithms, encryptions) //nolint:wrapcheck // OpenSecrets does
}

// An ownRecipient is an inner JWE without the recipients that are not ours.
type ownRecipient struct {
	jwe       innerJWE
	key       Decrypter
	ephemeral json.RawMessage // the sender's key, as the header that is ours has it
}

// findRecipient reduces an inner JWE to the recipient that holds one of keys.
func findRecipient(text json.RawMessage, keys []Decrypter) (ownRecipient, error) {
	var jwe innerJWE
	if err := decodeStrict(text, &jwe); err != nil {
		return ownRecipient{}, fmt.Errorf("the secrets: %w", err)
	}
	if len(jwe.Recipients) == 0 {
		h, err := parseHeader(jwe.Protected, jose.ECDH_ES_A256KW)
		if err != nil {
			return ownRecipient{}, fmt.Errorf("the secrets: %w", err)
		}
		key, ours := holder(keys, h.KeyID)
		if !ours {
			return ownRecipient{}, ErrNoRecipient
		}
		return ownRecipient{jwe, key, h.Ephemeral}, nil
	}
	if len(jwe.Recipients) > MaxRecipients || jwe.EncryptedKey != "" {
		return ownRecipient{}, fmt.Errorf("the secrets have %d recipients: %w", len(jwe.Recipients), ErrMalformed)
	}
	if err := checkShared(jwe.Protected); err != nil {
		return ownRecipient{}, err
	}
	for _, r := range jwe.Recipients {
		key, ours := holder(keys, r.Header.KeyID)
		if !ours {
			continue
		}
		if r.Header.Algorithm != jose.ECDH_ES_A256KW {
			return ownRecipient{}, fmt.Errorf("the secrets: algorithm %.40q, want %s: %w", r.Header.Algorithm, jose.ECDH_ES_A256KW, ErrMalformed)
		}
		jwe.Recipients = []innerRecipient{r}
		return ownRecipient{jwe, key, r.Header.Ephemeral}, nil
	}
	return ownRecipient{}, ErrNoRecipient
}

// checkShared holds the protected header of a general serialisation to enc alone: whatever else is a recipient's.
func checkShared(encoded string) error {
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil || !bytes.Equal(text, []byte(`{"enc":"A256GCM"}`)) {
		return fmt.Errorf("the secrets' protected header: want enc %s alone: %w", jose.A256GCM, ErrMalformed)
	}
	return nil
}
