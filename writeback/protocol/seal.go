package protocol

// The outer seal: JWE (RFC 7516) in compact serialisation, "dir" with A256GCM under the tenant's package key. The
// protected header holds alg, enc and kid and nothing else: algorithms are never taken from a message, zip and
// crit are refused with every other parameter. What is left of the RFC then is one AEAD over the header (sections 5.1 and
// 5.2), and is written out here, so that each part of a message is read once, and strictly. go-jose made the vectors in
// testdata and opens what this seals in the tests. Left out on purpose: nested signatures; whoever holds the package key
// is believed to be the tenant.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/go-jose/go-jose/v4"
)

// The kinds of sealed payload, so that none can pass for another.
const (
	typRequest   = "request"
	typAnswer    = "answer"
	typHeartbeat = "heartbeat"
)

// seal writes payload, a JSON object, under key.
func seal(key PackageKey, payload any) ([]byte, error) {
	aead, err := key.aead()
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	protected, err := json.Marshal(header{Algorithm: jose.DIRECT, Encryption: jose.A256GCM, KeyID: key.ID})
	if err != nil {
		return nil, fmt.Errorf("write a message's header: %w", err)
	}
	body := make([]byte, 0, base64URL.EncodedLen(len(protected)+len(text)+ivSize+tagSize)+compactParts)
	body = base64URL.AppendEncode(body, protected)
	sealed := aead.Seal(nil, nil, text, body)
	end := len(sealed) - tagSize
	for _, part := range [][]byte{nil, sealed[:ivSize], sealed[ivSize:end], sealed[end:]} { // no encrypted key: section 5.1, step 6
		body = base64URL.AppendEncode(append(body, '.'), part)
	}
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(body), MaxMessage, ErrTooLarge)
	}
	return body, nil
}

// open undoes seal with whichever of keys the header names.
func open(keys []PackageKey, body []byte, into any) error {
	if len(body) > MaxMessage {
		return fmt.Errorf("%d bytes, at most %d: %w", len(body), MaxMessage, ErrTooLarge)
	}
	c, err := parseCompact(body)
	if err != nil {
		return err
	}
	h, err := readHeader(c.header, jose.DIRECT)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(keys, func(k PackageKey) bool { return k.ID == h.KeyID })
	if i < 0 {
		return fmt.Errorf("package key %.40q: %w", h.KeyID, ErrUnknownKey)
	}
	if len(c.key) != 0 {
		return fmt.Errorf("an encrypted key, where the key is agreed on: %w", ErrMalformed)
	}
	aead, err := keys[i].aead()
	if err != nil {
		return err
	}
	text, err := aead.Open(nil, nil, c.sealed, c.protected)
	if err != nil {
		return fmt.Errorf("under package key %s: %w: %w", h.KeyID, ErrTampered, err)
	}
	return decodeStrict(text, into)
}

// compact is the compact serialisation, taken apart.
type compact struct {
	protected []byte // the header as it came, which is authenticated
	header    []byte // the same decoded
	key       []byte // the encrypted one
	sealed    []byte // initialisation vector, ciphertext and tag, as crypto/cipher has them
}

// Parts of the compact serialisation, and sizes of A256GCM in bytes (RFC 7518 section 5.3).
const (
	compactParts = 5
	ivSize       = 12
	tagSize      = 16
)

func parseCompact(body []byte) (compact, error) {
	parts := bytes.Split(body, []byte("."))
	if len(parts) != compactParts {
		return compact{}, fmt.Errorf("compact serialisation of %d parts: %w", len(parts), ErrMalformed)
	}
	c := compact{protected: parts[0]}
	var err error
	if c.header, err = decodeBase64(parts[0]); err != nil {
		return compact{}, err
	}
	if c.key, err = decodeBase64(parts[1]); err != nil {
		return compact{}, err
	}
	c.sealed, err = joinSealed(parts[2], parts[3], parts[4])
	return c, err
}

// joinSealed decodes initialisation vector, ciphertext and tag into one.
func joinSealed(iv, ciphertext, tag []byte) ([]byte, error) {
	if base64URL.DecodedLen(len(iv)) != ivSize || base64URL.DecodedLen(len(tag)) != tagSize {
		return nil, fmt.Errorf("an initialisation vector or a tag of another size: %w", ErrMalformed)
	}
	return decodeBase64(iv, ciphertext, tag)
}

var base64URL = base64.RawURLEncoding.Strict()

func encodeBase64(b []byte) string { return base64URL.EncodeToString(b) }

// decodeBase64 refuses the second spellings that base64 has (line breaks, spare bits): a message has one hash.
func decodeBase64(parts ...[]byte) (all []byte, err error) {
	for _, part := range parts {
		if bytes.ContainsAny(part, "\r\n") {
			return nil, fmt.Errorf("line breaks: %w", ErrMalformed)
		}
		if all, err = base64URL.AppendDecode(all, part); err != nil {
			return nil, fmt.Errorf("base64url: %w: %w", ErrMalformed, err)
		}
	}
	return all, nil
}

// header is a JOSE header that this protocol writes. Any further parameter is refused.
type header struct {
	Algorithm  jose.KeyAlgorithm      `json:"alg"`
	Encryption jose.ContentEncryption `json:"enc"`
	KeyID      string                 `json:"kid"`
	Ephemeral  json.RawMessage        `json:"epk,omitempty"` // of ECDH-ES alone
}

// readHeader reads a protected header and holds it to alg and to A256GCM.
func readHeader(text []byte, alg jose.KeyAlgorithm) (header, error) {
	var h header
	if err := decodeStrict(text, &h); err != nil {
		return header{}, fmt.Errorf("protected header: %w", err)
	}
	return h, h.check(alg)
}

func (h header) check(alg jose.KeyAlgorithm) error {
	if h.Algorithm != alg || h.Encryption != jose.A256GCM {
		return fmt.Errorf("algorithms %.40q and %.40q, want %s and %s: %w", h.Algorithm, h.Encryption, alg, jose.A256GCM, ErrMalformed)
	}
	if h.KeyID == "" || len(h.KeyID) > MaxText || (alg == jose.DIRECT) != (h.Ephemeral == nil) {
		return fmt.Errorf("header parameters: %w", ErrMalformed)
	}
	return nil
}

// decodeStrict reads exactly one JSON value and refuses fields that it does not know.
func decodeStrict(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, withoutValue(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: more than one JSON value", ErrMalformed)
	}
	return nil
}

// withoutValue keeps what was sealed out of an error: encoding/json quotes some values.
func withoutValue(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return fmt.Errorf("field %q is not a %s", wrong.Field, wrong.Type)
	}
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("JSON breaks at byte %d", syntax.Offset)
	}
	return err
}
