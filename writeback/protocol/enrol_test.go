package protocol_test

import (
	"bytes"
	"errors"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"passback/writeback/protocol"
)

func newKey(t *testing.T) protocol.PrivateKey {
	t.Helper()
	key, err := protocol.NewPrivateKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func none(string) (protocol.PublicKey, bool) { return protocol.PublicKey{}, false }

func enrolRequest(key protocol.PrivateKey, now time.Time) protocol.EnrolRequest {
	return protocol.EnrolRequest{ID: "attempt-1", Token: protocol.NewSecret("one-time"), Name: "host1", Version: "v1", Mode: protocol.Active,
		Domains: []string{"corp.example"}, Key: key.Public(), IssuedAt: now}
}

func TestFirstEnrolmentProvesPossessionOfItsKey(t *testing.T) {
	now := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	key, other := newKey(t), newKey(t)
	body, err := protocol.SealEnrolRequest(key, enrolRequest(key, now))
	if err != nil {
		t.Fatal(err)
	}
	got, signedBy, err := protocol.OpenEnrolRequest(body, now, none)
	if err != nil {
		t.Fatal(err)
	}
	if got.Token.Reveal() != "one-time" || got.Name != "host1" || got.Key.Thumbprint() != key.Thumbprint() || signedBy != key.Thumbprint() {
		t.Errorf("opened %+v, signed by %s", got, signedBy)
	}
	stolen, err := protocol.SealEnrolRequest(other, enrolRequest(key, now))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := protocol.OpenEnrolRequest(stolen, now, none); !errors.Is(err, protocol.ErrUnknownKey) {
		t.Errorf("a key of somebody else enrolled: %v", err)
	}
	if _, _, err := protocol.OpenEnrolRequest([]byte(flipBit(string(body), 2)), now, none); !errors.Is(err, protocol.ErrTampered) {
		t.Errorf("a spoilt signature: %v", err)
	}
	if _, _, err := protocol.OpenEnrolRequest(body, now.Add(25*time.Hour), none); !errors.Is(err, protocol.ErrExpired) {
		t.Errorf("a request of yesterday: %v", err)
	}
}

func TestRenewalIsSignedByTheCurrentKey(t *testing.T) {
	now := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	current, next := newKey(t), newKey(t)
	r := enrolRequest(next, now)
	r.Token, r.AgentID = protocol.Secret{}, "agent-1"
	body, err := protocol.SealEnrolRequest(current, r)
	if err != nil {
		t.Fatal(err)
	}
	known := func(thumbprint string) (protocol.PublicKey, bool) {
		return current.Public(), thumbprint == current.Thumbprint()
	}
	got, signedBy, err := protocol.OpenEnrolRequest(body, now, known)
	if err != nil {
		t.Fatal(err)
	}
	if signedBy != current.Thumbprint() || got.Key.Thumbprint() != next.Thumbprint() || got.AgentID != "agent-1" {
		t.Errorf("opened %+v, signed by %s", got, signedBy)
	}
}

func enrolResponse(t *testing.T, now time.Time) protocol.EnrolResponse {
	key, err := protocol.NewPackageKey()
	if err != nil {
		t.Fatal(err)
	}
	rule := func(n string) protocol.SASRule { return protocol.SASRule{Name: n, Key: protocol.NewSecret("sas-" + n)} }
	return protocol.EnrolResponse{
		InReplyTo: "attempt-1", Tenant: "contoso", AgentID: "agent-1", Mode: protocol.Active, OnlyActive: true, PackageKeys: []protocol.PackageKey{key},
		Relays:          []protocol.Relay{{Host: "localhost:10443", Requests: rule("listen"), Answers: rule("answer"), Status: rule("status")}},
		MarkerAttribute: protocol.DefaultMarkerAttribute, Domains: []string{"corp.example"}, IssuedAt: now,
	}
}

func TestEnrolResponseOpensForItsKeyAlone(t *testing.T) {
	now := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	key, other := newKey(t), newKey(t)
	want := enrolResponse(t, now)
	body, err := protocol.SealEnrolResponse(key.Public(), want)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(body, []byte("sas-")) {
		t.Error("a relay key is readable")
	}
	got, err := protocol.OpenEnrolResponse([]protocol.Decrypter{other, key}, body)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("opened %+v, want %+v", got, want)
	}
	if _, err := protocol.OpenEnrolResponse([]protocol.Decrypter{other}, body); !errors.Is(err, protocol.ErrNoRecipient) {
		t.Errorf("opened by another key: %v", err)
	}
	if _, err := protocol.OpenEnrolResponse([]protocol.Decrypter{key}, []byte(flipBit(string(body), 3))); !errors.Is(err, protocol.ErrTampered) {
		t.Errorf("tampered with: %v", err)
	}
}

func TestEnrolResponseIsComplete(t *testing.T) {
	key, now := newKey(t), time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	for name, spoil := range map[string]func(*protocol.EnrolResponse){
		"no package key":   func(r *protocol.EnrolResponse) { r.PackageKeys = nil },
		"no relay":         func(r *protocol.EnrolResponse) { r.Relays = nil },
		"three relays":     func(r *protocol.EnrolResponse) { r.Relays = append(r.Relays, r.Relays[0], r.Relays[0]) },
		"no status rule":   func(r *protocol.EnrolResponse) { r.Relays[0].Status = protocol.SASRule{} },
		"marker with LDAP": func(r *protocol.EnrolResponse) { r.MarkerAttribute = "a)(b=*" },
		"no mode":          func(r *protocol.EnrolResponse) { r.Mode = "" },
	} {
		r := enrolResponse(t, now)
		spoil(&r)
		if _, err := protocol.SealEnrolResponse(key.Public(), r); !errors.Is(err, protocol.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSkew(t *testing.T) {
	date := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	h := http.Header{"Date": {date.Format(http.TimeFormat)}}
	for name, c := range map[string]struct{ sent, received, want time.Duration }{
		"equal":                {0, 100 * time.Millisecond, 0},
		"the second's own end": {990 * time.Millisecond, time.Second, 0},
		"slow answer":          {-3 * time.Second, 2 * time.Second, 0},
		"ahead":                {8 * time.Second, 9 * time.Second, 7 * time.Second},
		"behind":               {-9 * time.Second, -8 * time.Second, -8 * time.Second},
	} {
		got, err := protocol.Skew(h, date.Add(c.sent), date.Add(c.received))
		if err != nil || got != c.want {
			t.Errorf("%s: %s (%v), want %s", name, got, err, c.want)
		}
	}
	if _, err := protocol.Skew(http.Header{}, date, date); err == nil {
		t.Error("no Date header, and no error")
	}
}

func TestPublicKeyIsP256Alone(t *testing.T) {
	for name, jwk := range map[string]string{
		"symmetric": `{"kty":"oct","k":"AAAA"}`,
		"P-384":     `{"kty":"EC","crv":"P-384","x":"AA","y":"AA"}`,
		"off curve": `{"kty":"EC","crv":"P-256","x":"` + strings.Repeat("A", 43) + `","y":"` + strings.Repeat("A", 43) + `"}`,
		"not JSON":  `{`,
	} {
		var k protocol.PublicKey
		if err := k.UnmarshalJSON([]byte(jwk)); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}
