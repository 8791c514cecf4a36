package protocol

import (
	"encoding/json"
	"fmt"
)

// A Package is a request that opened outside: it comes from the tenant's cloud and its ids are those on the wire.
// Its secrets are still sealed; OpenSecrets opens them.
type Package struct {
	Request Request
	Hash    string // of the message; an answer repeats it
	inner   json.RawMessage
}

type sealedRequest struct {
	Typ string `json:"typ"`
	Request
	Secrets json.RawMessage `json:"secrets"`
}

// SealRequest makes the message of a request: the secrets sealed to each of to, all of it under key. The request
// and its secrets must be valid.
func SealRequest(key PackageKey, r Request, s Secrets, to []PublicKey) (Message, error) {
	if err := r.Validate(); err != nil {
		return Message{}, err
	}
	if err := s.Validate(r.Operation); err != nil {
		return Message{}, err
	}
	inner, err := sealSecrets(r, s, to)
	if err != nil {
		return Message{}, err
	}
	body, err := seal(key, sealedRequest{Typ: typRequest, Request: r, Secrets: inner})
	if err != nil {
		return Message{}, err
	}
	return Message{Body: body, ID: string(r.TrackingID), ReplySession: r.ReplySession, TTL: r.Deadline.Sub(r.IssuedAt)}, nil
}

// OpenRequest opens a request outside, with whichever of keys it names. It does not judge the request: see
// Request.Validate and Request.CheckTime, whose findings can be answered. An error of OpenRequest cannot be:
// it wraps ErrTooLarge, ErrMalformed, ErrUnknownKey, ErrTampered or ErrForeignTenant.
func OpenRequest(keys []PackageKey, tenant string, m Message) (Package, error) {
	var s sealedRequest
	if err := open(keys, m.Body, &s); err != nil {
		return Package{}, fmt.Errorf("request: %w", err)
	}
	if s.Typ != typRequest {
		return Package{}, fmt.Errorf("request: it is a %.40q: %w", s.Typ, ErrMalformed)
	}
	if s.Tenant != tenant {
		return Package{}, fmt.Errorf("request: tenant %.60q: %w", s.Tenant, ErrForeignTenant)
	}
	if m.ID != string(s.TrackingID) || m.ReplySession != s.ReplySession {
		return Package{}, fmt.Errorf("request: ids on the wire are not those sealed: %w", ErrTampered)
	}
	if _, err := ParseTrackingID(string(s.TrackingID)); err != nil {
		return Package{}, fmt.Errorf("request: %w: %w", ErrMalformed, err)
	}
	return Package{Request: s.Request, Hash: m.Hash(), inner: s.Secrets}, nil
}
