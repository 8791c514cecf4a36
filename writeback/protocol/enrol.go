package protocol

// Enrolment: one HTTPS POST to the cloud's enrolment URL. Up goes a JWS (RFC 7515, compact, ES256) over an
// EnrolRequest; down comes a JWE (compact, ECDH-ES+A256KW, A256GCM) over an EnrolResponse, sealed to the key that
// the request names. The first request carries a one-time token and is signed by the new key itself, which proves
// its possession; later ones are signed by the current key. The cloud answers a repeated request alike, so that a
// lost answer costs nothing.
//
// An agent leaves by the same way: a signed EnrolRequest that says so is answered by an empty 200, and from then on by
// EnrolUnknownAgent.

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An EnrolRequest asks for, or renews, an agent's place in the tenant.
type EnrolRequest struct {
	ID       string    // drawn for each attempt; the response repeats it
	Token    Secret    // one-time; empty in a renewal
	AgentID  string    // as given by the first response; empty in the first request
	Name     string    // for people: the host's name
	Version  string    // of the agent
	Mode     Mode      // wanted
	Domains  []string  // that the agent's configuration serves
	Key      PublicKey // to seal to; another than the signing one rolls the key over
	Unenrol  bool      // give up the place: no token, and signed by an enrolled key
	IssuedAt time.Time
}

type sealedEnrolRequest struct {
	ID       string    `json:"id"`
	Token    string    `json:"token,omitempty"`
	AgentID  string    `json:"agentId,omitempty"`
	Name     string    `json:"name"`
	Version  string    `json:"version"`
	Mode     Mode      `json:"mode"`
	Domains  []string  `json:"domains"`
	Key      PublicKey `json:"key"`
	Unenrol  bool      `json:"unenrol,omitempty"`
	IssuedAt time.Time `json:"issuedAt"`
}

// EnrolWindow is how far an EnrolRequest's IssuedAt may be from the cloud's clock: wide enough that an agent whose
// clock is wrong still gets the Date header that tells it so.
const EnrolWindow = 24 * time.Hour

// SealEnrolRequest writes the body of the POST.
func SealEnrolRequest(signer PrivateKey, r EnrolRequest) ([]byte, error) {
	text, err := json.Marshal(sealedEnrolRequest{r.ID, r.Token.Reveal(), r.AgentID, r.Name, r.Version, r.Mode, r.Domains, r.Key, r.Unenrol, r.IssuedAt})
	if err != nil {
		return nil, fmt.Errorf("write an enrolment request: %w", err)
	}
	key := jose.JSONWebKey{Key: signer.key, KeyID: signer.Thumbprint()}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil)
	if err != nil {
		return nil, fmt.Errorf("sign an enrolment request: %w", err)
	}
	signed, err := s.Sign(text)
	if err != nil {
		return nil, fmt.Errorf("sign an enrolment request: %w", err)
	}
	body, err := signed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("sign an enrolment request: %w", err)
	}
	return []byte(body), nil
}

// OpenEnrolRequest verifies the signature by the request's own key, or by an enrolled one: known returns the key of
// a thumbprint. It returns the thumbprint of the key that signed. The token, the agent's id and the mode are the
// caller's to judge.
func OpenEnrolRequest(body []byte, now time.Time, known func(thumbprint string) (PublicKey, bool)) (r EnrolRequest, signedBy string, err error) {
	if len(body) > MaxEnrolment {
		return r, "", fmt.Errorf("enrolment request: %d bytes, at most %d: %w", len(body), MaxEnrolment, ErrTooLarge)
	}
	signed, err := jose.ParseSignedCompact(string(body), []jose.SignatureAlgorithm{jose.ES256})
	if err != nil {
		return r, "", fmt.Errorf("enrolment request: %w: %w", ErrMalformed, err)
	}
	var s sealedEnrolRequest
	if err := decodeStrict(signed.UnsafePayloadWithoutVerification(), &s); err != nil {
		return r, "", fmt.Errorf("enrolment request: %w", err)
	}
	if err := s.validate(now); err != nil {
		return r, "", fmt.Errorf("enrolment request: %w", err)
	}
	signedBy = signed.Signatures[0].Header.KeyID
	key := s.Key
	if signedBy != key.Thumbprint() {
		var enrolled bool
		if key, enrolled = known(signedBy); !enrolled {
			return r, "", fmt.Errorf("enrolment request: signed by %.60q: %w", signedBy, ErrUnknownKey)
		}
	}
	if _, err := signed.Verify(key.key); err != nil {
		return r, "", fmt.Errorf("enrolment request: %w: %w", ErrTampered, err)
	}
	return EnrolRequest{s.ID, NewSecret(s.Token), s.AgentID, s.Name, s.Version, s.Mode, s.Domains, s.Key, s.Unenrol, s.IssuedAt}, signedBy, nil
}

func (s sealedEnrolRequest) validate(now time.Time) error {
	switch {
	case s.ID == "" || s.Key.IsZero():
		return invalid("want an id and a key")
	case s.Mode != Active && s.Mode != Staging:
		return invalid("mode %.40q: want active or staging", s.Mode)
	case s.Unenrol && (s.Token != "" || s.AgentID == ""):
		return invalid("an agent leaves by its id and without a token")
	case len(s.Name) > MaxText || len(s.Version) > MaxText || len(s.Domains) == 0 || len(s.Domains) > maxDomains:
		return invalid("want a name and a version of at most %d bytes, and 1 to %d domains", MaxText, maxDomains)
	case now.Sub(s.IssuedAt).Abs() > EnrolWindow:
		return fmt.Errorf("issued %s: %w", s.IssuedAt.UTC().Format(time.RFC3339), ErrExpired)
	}
	for _, d := range s.Domains {
		if len(d) > 255 || !dnsName.MatchString(d) {
			return invalid("domain %.60q: want a DNS name", d)
		}
	}
	return nil
}
