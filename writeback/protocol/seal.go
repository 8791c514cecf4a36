package protocol

// The outer seal: JWE (RFC 7516) in compact serialisation, "dir" with A256GCM under the tenant's package key. The
// protected header holds alg, enc and kid and nothing else: algorithms are never taken from a message, zip and
// crit are refused with every other parameter. Left out on purpose: nested signatures; whoever holds the package
// key is believed to be the tenant.

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

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
	raw, err := key.bytes()
	if err != nil {
		return nil, fmt.Errorf("package key %s: %w", key.ID, err)
	}
	text, err := json.Marshal(payload)
	if err != nil {
		return nil, fmt.Errorf("write a message: %w", err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: raw, KeyID: key.ID}, nil)
	if err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	sealed, err := encrypter.Encrypt(text)
	if err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	body, err := sealed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("seal a message: %w", err)
	}
	if len(body) > MaxMessage {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(body), MaxMessage, ErrTooLarge)
	}
	return []byte(body), nil
}

// open undoes seal with whichever of keys the header names.
func open(keys []PackageKey, body []byte, into any) error {
	if len(body) > MaxMessage {
		return fmt.Errorf("%d bytes, at most %d: %w", len(body), MaxMessage, ErrTooLarge)
	}
	if err := checkCompact(string(body)); err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(body), ".")
	header, err := parseHeader(first, jose.DIRECT)
	if err != nil {
		return err
	}
	var raw []byte
	for _, k := range keys {
		if k.ID == header.KeyID {
			if raw, err = k.bytes(); err != nil {
				return fmt.Errorf("package key %s: %w", k.ID, err)
			}
		}
	}
	if raw == nil {
		return fmt.Errorf("package key %.40q: %w", header.KeyID, ErrUnknownKey)
	}
	sealed, err := jose.ParseEncryptedCompact(string(body), []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	text, err := sealed.Decrypt(raw)
	if err != nil {
		return fmt.Errorf("under package key %s: %w: %w", header.KeyID, ErrTampered, err)
	}
	return decodeStrict(text, into)
}

// checkCompact refuses the second spellings that base64 has (line breaks, spare bits): a message has one hash.
func checkCompact(body string) error {
	for part := range strings.SplitSeq(body, ".") {
		if strings.ContainsAny(part, "\r\n") {
			return fmt.Errorf("line breaks: %w", ErrMalformed)
		}
		if _, err := base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return fmt.Errorf("compact serialisation: %w: %w", ErrMalformed, err)
		}
	}
	return nil
}

// header is a JOSE header that this protocol writes. Any further parameter is refused.
type header struct {
	Algorithm  jose.KeyAlgorithm      `json:"alg"`
	Encryption jose.ContentEncryption `json:"enc"`
	KeyID      string                 `json:"kid"`
	Ephemeral  json.RawMessage        `json:"epk"` // of ECDH-ES alone
}

// parseHeader reads a protected header and holds it to alg and to A256GCM.
func parseHeader(encoded string, alg jose.KeyAlgorithm) (header, error) {
	text, err := base64.RawURLEncoding.DecodeString(encoded)
	if err != nil {
		return header{}, fmt.Errorf("protected header: %w", ErrMalformed)
	}
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
