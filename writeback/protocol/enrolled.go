package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// An EnrolResponse is all that an agent needs from the cloud, and what all agents of the tenant share.
type EnrolResponse struct {
	InReplyTo       string // EnrolRequest.ID
	Tenant          string
	AgentID         string
	Mode            Mode   // granted
	Reason          string // why Staging though Active was wanted
	OnlyActive      bool   // no other active agent is enrolled: it may receive at once
	PackageKeys     []PackageKey
	Relays          []Relay // one or two
	MarkerAttribute string
	Domains         []string // of the tenant
	IssuedAt        time.Time
}

// A Relay is a Service Bus namespace and what an agent may do there: listen on requests, send on the others.
type Relay struct {
	Host     string // of wss://Host/$servicebus/websocket; with a port, unless that is 443
	Requests SASRule
	Answers  SASRule
	Status   SASRule
}

// Thumbprint names the keys without telling them: SHA-256, base64url. They are drawn, so that none can be guessed from it.
func (r Relay) Thumbprint() string {
	sum := sha256.New()
	for _, rule := range []SASRule{r.Requests, r.Answers, r.Status} {
		fmt.Fprintf(sum, "%q %q\n", rule.Name, rule.Key.Reveal())
	}
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

// A SASRule is a shared access key on one queue.
type SASRule struct {
	Name string
	Key  Secret
}

type sealedEnrolResponse struct {
	InReplyTo       string             `json:"inReplyTo"`
	Tenant          string             `json:"tenant"`
	AgentID         string             `json:"agentId"`
	Mode            Mode               `json:"mode"`
	Reason          string             `json:"reason,omitempty"`
	OnlyActive      bool               `json:"onlyActive,omitempty"`
	PackageKeys     []sealedPackageKey `json:"packageKeys"`
	Relays          []sealedRelay      `json:"relays"`
	MarkerAttribute string             `json:"markerAttribute"`
	Domains         []string           `json:"domains"`
	IssuedAt        time.Time          `json:"issuedAt"`
}

type sealedPackageKey struct {
	ID  string `json:"kid"`
	Key string `json:"k"`
}

type sealedRelay struct {
	Host     string        `json:"host"`
	Requests sealedSASRule `json:"requests"`
	Answers  sealedSASRule `json:"answers"`
	Status   sealedSASRule `json:"status"`
}

type sealedSASRule struct {
	Name string `json:"name"`
	Key  string `json:"key"`
}

// SealEnrolResponse writes the body of the answer, for to alone.
func SealEnrolResponse(to PublicKey, r EnrolResponse) ([]byte, error) {
	if err := r.validate(); err != nil {
		return nil, fmt.Errorf("enrolment response: %w", err)
	}
	text, err := json.Marshal(r.sealed())
	if err != nil {
		return nil, fmt.Errorf("write an enrolment response: %w", err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.ECDH_ES_A256KW, Key: to.key, KeyID: to.Thumbprint()}, nil)
	if err != nil {
		return nil, fmt.Errorf("seal an enrolment response: %w", err)
	}
	sealed, err := encrypter.Encrypt(text)
	if err != nil {
		return nil, fmt.Errorf("seal an enrolment response: %w", err)
	}
	body, err := sealed.CompactSerialize()
	if err != nil {
		return nil, fmt.Errorf("seal an enrolment response: %w", err)
	}
	return []byte(body), nil
}

// OpenEnrolResponse opens a response with whichever of keys it is sealed to. The caller compares InReplyTo.
func OpenEnrolResponse(keys []Decrypter, body []byte) (EnrolResponse, error) {
	text, err := openEnrolment(keys, body)
	if err != nil {
		return EnrolResponse{}, fmt.Errorf("enrolment response: %w", err)
	}
	var s sealedEnrolResponse
	if err := decodeStrict(text, &s); err != nil {
		return EnrolResponse{}, fmt.Errorf("enrolment response: %w", err)
	}
	r, err := s.opened()
	if err != nil {
		return EnrolResponse{}, fmt.Errorf("enrolment response: %w", err)
	}
	if err := r.validate(); err != nil {
		return EnrolResponse{}, fmt.Errorf("enrolment response: %w", err)
	}
	return r, nil
}

func openEnrolment(keys []Decrypter, body []byte) ([]byte, error) {
	if len(body) > MaxEnrolment {
		return nil, fmt.Errorf("%d bytes, at most %d: %w", len(body), MaxEnrolment, ErrTooLarge)
	}
	c, err := parseCompact(body)
	if err != nil {
		return nil, err
	}
	h, err := readHeader(c.header, jose.ECDH_ES_A256KW)
	if err != nil {
		return nil, err
	}
	key, ours := holder(keys, h.KeyID)
	if !ours {
		return nil, ErrNoRecipient
	}
	return decrypt(key, h.Ephemeral, c.key, c.sealed, c.protected)
}

func (r EnrolResponse) sealed() sealedEnrolResponse {
	s := sealedEnrolResponse{
		InReplyTo: r.InReplyTo, Tenant: r.Tenant, AgentID: r.AgentID, Mode: r.Mode, Reason: r.Reason, OnlyActive: r.OnlyActive,
		MarkerAttribute: r.MarkerAttribute, Domains: r.Domains, IssuedAt: r.IssuedAt,
	}
	for _, k := range r.PackageKeys {
		s.PackageKeys = append(s.PackageKeys, sealedPackageKey{k.ID, k.key.Reveal()})
	}
	rule := func(r SASRule) sealedSASRule { return sealedSASRule{r.Name, r.Key.Reveal()} }
	for _, relay := range r.Relays {
		s.Relays = append(s.Relays, sealedRelay{relay.Host, rule(relay.Requests), rule(relay.Answers), rule(relay.Status)})
	}
	return s
}

func (s sealedEnrolResponse) opened() (EnrolResponse, error) {
	r := EnrolResponse{
		InReplyTo: s.InReplyTo, Tenant: s.Tenant, AgentID: s.AgentID, Mode: s.Mode, Reason: s.Reason, OnlyActive: s.OnlyActive,
		MarkerAttribute: s.MarkerAttribute, Domains: s.Domains, IssuedAt: s.IssuedAt,
	}
	for _, k := range s.PackageKeys {
		key, err := ParsePackageKey(k.ID, NewSecret(k.Key))
		if err != nil {
			return EnrolResponse{}, err
		}
		r.PackageKeys = append(r.PackageKeys, key)
	}
	rule := func(s sealedSASRule) SASRule { return SASRule{s.Name, NewSecret(s.Key)} }
	for _, relay := range s.Relays {
		r.Relays = append(r.Relays, Relay{relay.Host, rule(relay.Requests), rule(relay.Answers), rule(relay.Status)})
	}
	return r, nil
}

var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,255}$`)

func (r EnrolResponse) validate() error {
	switch {
	case r.Tenant == "" || r.AgentID == "" || len(r.PackageKeys) == 0 || len(r.Domains) == 0:
		return invalid("want a tenant, an agent id, a package key and a domain")
	case r.Mode != Active && r.Mode != Staging:
		return invalid("mode %.40q: want active or staging", r.Mode)
	case len(r.Relays) == 0 || len(r.Relays) > maxRelays:
		return invalid("%d relays: want 1 or %d", len(r.Relays), maxRelays)
	case !attributeName.MatchString(r.MarkerAttribute):
		return invalid("marker attribute %.60q: want an attribute's name", r.MarkerAttribute)
	}
	for _, relay := range r.Relays {
		for _, rule := range []SASRule{relay.Requests, relay.Answers, relay.Status} {
			if relay.Host == "" || rule.Name == "" || rule.Key.Empty() {
				return invalid("relay %.60q: want a host, and a name and a key of each queue's rule", relay.Host)
			}
		}
	}
	return nil
}

// An EnrolError is the cloud's refusal: the JSON body of a 4xx answer to an enrolment.
type EnrolError struct {
	Status  int    `json:"-"` // of HTTP
	Code    string `json:"code"`
	Message string `json:"message"` // for people
}

// The codes of an EnrolError.
const (
	EnrolBadRequest   = "badRequest"
	EnrolTokenUnknown = "tokenUnknown"
	EnrolTokenUsed    = "tokenUsed" // by another key
	EnrolTokenExpired = "tokenExpired"
	EnrolUnknownAgent = "unknownAgent" // unenrolled, or its key is not the current one
)

func (e *EnrolError) Error() string {
	return fmt.Sprintf("the cloud refused the enrolment: %s (%s, HTTP %d)", e.Message, e.Code, e.Status)
}

// Skew is by how much the local clock is off the one that wrote an HTTP Date header in answer to a request sent and
// answered at these local times: positive when the local clock is ahead, 0 within what the header's whole seconds
// and the round trip leave open.
func Skew(h http.Header, sent, received time.Time) (time.Duration, error) {
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0, fmt.Errorf("no usable Date header, so the clocks cannot be compared: %w", ErrMalformed)
	}
	if ahead := sent.Sub(date.Add(time.Second)); ahead > 0 {
		return ahead, nil
	}
	if behind := received.Sub(date); behind < 0 {
		return behind, nil
	}
	return 0, nil
}
