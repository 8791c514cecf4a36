package protocol_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

var makeVectors = flag.Bool("make-vectors", false, "write testdata anew, with fresh keys")

// TestMakeVectors builds every message from go-jose's primitives and plain JSON, not with this package, so that
// package and vectors check one another.
func TestMakeVectors(t *testing.T) {
	if !*makeVectors {
		t.Skip("only with -make-vectors")
	}
	m := newMaker(t)
	for name, v := range m.requests() {
		m.write(name, v)
	}
	for name, v := range m.others() {
		m.write(name, v)
	}
}

const vectorID = "0195f0c6-3c00-7abc-8def-0123456789ab"

type object map[string]any

type maker struct {
	t           testing.TB
	packageKey  []byte
	first, next *ecdsa.PrivateKey
	now         time.Time
}

func newMaker(t testing.TB) *maker {
	key := make([]byte, 32)
	rand.Read(key)
	first, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	next, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	return &maker{t: t, packageKey: key, first: first, next: next, now: time.Date(2025, 4, 1, 12, 0, 10, 0, time.UTC)}
}

func (m *maker) request(change object) object {
	r := object{
		"trackingId": vectorID, "tenant": "contoso", "operation": "change", "cloudAnchor": "User_6f9619ff-8b86-4011-b42d-00cf4fc964ff",
		"sourceAnchor": "F39SWQrM2EidaboN8UC8Ww==", "upn": "alice@corp.example", "domain": "corp.example", "dc": "dc1.corp.example",
		"actor": "alice@corp.example", "unlock": true, "supersedes": []string{"0195f0c5-51a0-7abc-8def-0123456789ab"},
		"issuedAt": m.now.Add(-10 * time.Second), "deadline": m.now.Add(50 * time.Second), "replySession": "front-1",
	}
	maps.Copy(r, change)
	return r
}

func (m *maker) secrets(change object) object {
	s := object{"trackingId": vectorID, "operation": "change", "sourceAnchor": "F39SWQrM2EidaboN8UC8Ww==", "old": "Sommer-2024", "new": "Grüße aus \"Köln\" 42"}
	maps.Copy(s, change)
	return s
}

func (m *maker) marshal(v any) []byte {
	text, err := json.Marshal(v)
	if err != nil {
		m.t.Fatal(err)
	}
	return text
}

func (m *maker) inner(secrets any, enc jose.ContentEncryption, alg jose.KeyAlgorithm, opts *jose.EncrypterOptions, to ...*ecdsa.PrivateKey) json.RawMessage {
	var recipients []jose.Recipient
	for _, k := range to {
		recipients = append(recipients, jose.Recipient{Algorithm: alg, Key: &k.PublicKey, KeyID: m.thumbprint(k)})
	}
	e, err := jose.NewMultiEncrypter(enc, recipients, opts)
	if err != nil {
		m.t.Fatal(err)
	}
	sealed, err := e.Encrypt(m.marshal(secrets))
	if err != nil {
		m.t.Fatal(err)
	}
	var jwe object
	if err := json.Unmarshal([]byte(sealed.FullSerialize()), &jwe); err != nil {
		m.t.Fatal(err)
	}
	if len(to) > 1 { // RFC 7516 section 7.2.1: the flattened form's alone
		delete(jwe, "encrypted_key")
	}
	return m.marshal(jwe)
}

func (m *maker) goodInner(to ...*ecdsa.PrivateKey) json.RawMessage {
	return m.inner(m.secrets(nil), jose.A256GCM, jose.ECDH_ES_A256KW, nil, to...)
}

func (m *maker) outer(payload any, opts *jose.EncrypterOptions) string {
	return m.outerUnder("k1", m.packageKey, jose.A256GCM, payload, opts)
}

func (m *maker) outerUnder(kid string, key []byte, enc jose.ContentEncryption, payload any, opts *jose.EncrypterOptions) string {
	e, err := jose.NewEncrypter(enc, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: kid}, opts)
	if err != nil {
		m.t.Fatal(err)
	}
	sealed, err := e.Encrypt(m.marshal(payload))
	if err != nil {
		m.t.Fatal(err)
	}
	body, err := sealed.CompactSerialize()
	if err != nil {
		m.t.Fatal(err)
	}
	return body
}

func (m *maker) thumbprint(k *ecdsa.PrivateKey) string {
	sum, err := (&jose.JSONWebKey{Key: &k.PublicKey}).Thumbprint(5) // crypto.SHA256
	if err != nil {
		m.t.Fatal(err)
	}
	return base64.RawURLEncoding.EncodeToString(sum)
}

func (m *maker) vector(kind, comment, body string, want vectorWant) vector {
	v := vector{
		Comment: comment, Kind: kind, Tenant: "contoso", Now: m.now, Want: want,
		PackageKeys: []vectorKey{{"k1", base64.RawURLEncoding.EncodeToString(m.packageKey)}},
		Message:     vectorMessage{Body: body},
	}
	switch kind {
	case "request":
		v.PrivateKeys = []jose.JSONWebKey{{Key: m.first, KeyID: m.thumbprint(m.first)}}
		v.Message.ID, v.Message.ReplySession = vectorID, "front-1"
	case "answer":
		v.Message.CorrelationID, v.Message.SessionID = vectorID, "front-1"
	case "heartbeat":
		v.Message.ID = "beat-1"
	}
	return v
}

func (m *maker) sealedRequest(change object, inner json.RawMessage) object {
	r := m.request(nil)
	r["typ"], r["secrets"] = "request", inner
	maps.Copy(r, change)
	return r
}

func (m *maker) requests() map[string]vector {
	good := m.sealedRequest(nil, m.goodInner(m.first))
	opened := vectorWant{Payload: m.marshal(m.request(nil)), Old: "Sommer-2024", New: "Grüße aus \"Köln\" 42"}
	fails := func(stage, err string) vectorWant { return vectorWant{Stage: stage, Error: err} }
	add := func(comment, body string, want vectorWant) vector { return m.vector("request", comment, body, want) }
	with := func(comment string, inner json.RawMessage, want vectorWant) vector {
		return add(comment, m.outer(m.sealedRequest(nil, inner), nil), want)
	}
	header := func(k jose.HeaderKey, v any) *jose.EncrypterOptions {
		return &jose.EncrypterOptions{ExtraHeaders: map[jose.HeaderKey]any{k: v}}
	}
	eight := []*ecdsa.PrivateKey{m.next, m.first}
	for len(eight) < 9 {
		k, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		eight = append(eight, k)
	}
	vectors := map[string]vector{
		"request-one-recipient":    add("a change, sealed to one agent", m.outer(good, nil), opened),
		"request-eight-recipients": with("sealed to eight agents, the second of which is ours", m.goodInner(eight[:8]...), opened),
		"request-nine-recipients":  with("one recipient too many", m.goodInner(eight...), fails("secrets", "malformed")),
		"request-no-recipient":     with("sealed to another agent alone", m.goodInner(m.next), fails("secrets", "noRecipient")),
		"request-zip":              add("compressed outside", m.outer(good, &jose.EncrypterOptions{Compression: jose.DEFLATE}), fails("open", "malformed")),
		"request-crit":             add("a critical header parameter", m.outer(good, header("crit", []string{"exp"})), fails("open", "malformed")),
		"request-extra-header":     add("a header parameter that the protocol does not have", m.outer(good, header("cty", "JSON")), fails("open", "malformed")),
		"request-wrong-enc":        add("A128GCM outside", m.outerUnder("k1", m.packageKey[:16], jose.A128GCM, good, nil), fails("open", "malformed")),
		"request-unknown-kid":      add("a package key of an unknown id", m.outerUnder("k0", m.packageKey, jose.A256GCM, good, nil), fails("open", "unknownKey")),
		"request-wrong-key":        add("another key under our id", m.outerUnder("k1", bytes.Repeat([]byte{7}, 32), jose.A256GCM, good, nil), fails("open", "tampered")),
		"request-tampered":         add("one bit of the ciphertext turned", flipBit(m.outer(good, nil), 3), fails("open", "tampered")),
		"request-tampered-tag":     add("one bit of the tag turned", flipBit(m.outer(good, nil), 4), fails("open", "tampered")),
		"request-line-break":       add("a line break in the body", m.outer(good, nil)+"\n", fails("open", "malformed")),
		"request-too-large":        add("more than 16 KB", m.outer(m.sealedRequest(object{"upn": strings.Repeat("a", 16<<10)}, m.goodInner(m.first)), nil), fails("open", "tooLarge")),
		"request-unknown-field":    add("a field that the protocol does not have", m.outer(m.sealedRequest(object{"force": true}, m.goodInner(m.first)), nil), fails("open", "malformed")),
		"request-is-an-answer":     add("typ answer", m.outer(m.sealedRequest(object{"typ": "answer"}, m.goodInner(m.first)), nil), fails("open", "malformed")),
		"request-foreign-tenant":   add("sealed for another tenant", m.outer(m.sealedRequest(object{"tenant": "fabrikam"}, m.goodInner(m.first)), nil), fails("open", "foreignTenant")),
		"request-expired":          add("the deadline is the very instant", m.outer(m.sealedRequest(object{"deadline": m.now}, m.goodInner(m.first)), nil), fails("time", "expired")),
		"request-from-the-future":  add("issued 6 s ahead", m.outer(m.sealedRequest(object{"issuedAt": m.now.Add(6 * time.Second)}, m.goodInner(m.first)), nil), fails("time", "invalid")),
		"request-long-deadline":    add("more than two minutes", m.outer(m.sealedRequest(object{"deadline": m.now.Add(111 * time.Second)}, m.goodInner(m.first)), nil), fails("validate", "invalid")),
		"request-inner-zip":        with("compressed inside", m.inner(m.secrets(nil), jose.A256GCM, jose.ECDH_ES_A256KW, &jose.EncrypterOptions{Compression: jose.DEFLATE}, m.first), fails("secrets", "malformed")),
		"request-inner-zip-many":   with("compressed inside, two recipients", m.inner(m.secrets(nil), jose.A256GCM, jose.ECDH_ES_A256KW, &jose.EncrypterOptions{Compression: jose.DEFLATE}, m.first, m.next), fails("secrets", "malformed")),
		"request-inner-wrong-alg":  with("ECDH-ES+A128KW inside", m.inner(m.secrets(nil), jose.A256GCM, jose.ECDH_ES_A128KW, nil, m.first), fails("secrets", "malformed")),
		"request-inner-wrong-enc":  with("A128CBC-HS256 inside", m.inner(m.secrets(nil), jose.A128CBC_HS256, jose.ECDH_ES_A256KW, nil, m.first), fails("secrets", "malformed")),
		"request-spliced-id":       with("the secrets of another request", m.inner(m.secrets(object{"trackingId": "0195f0c5-51a0-7abc-8def-0123456789ab"}), jose.A256GCM, jose.ECDH_ES_A256KW, nil, m.first), fails("secrets", "tampered")),
		"request-spliced-anchor":   with("the secrets of another person", m.inner(m.secrets(object{"sourceAnchor": "AAAAAAAAAAAAAAAAAAAAAA=="}), jose.A256GCM, jose.ECDH_ES_A256KW, nil, m.first), fails("secrets", "tampered")),
		"request-spliced-reset":    with("the secrets of a reset in a change", m.inner(m.secrets(object{"operation": "reset"}), jose.A256GCM, jose.ECDH_ES_A256KW, nil, m.first), fails("secrets", "tampered")),
		"request-without-old":      with("a change without the old password", m.inner(object{"trackingId": vectorID, "operation": "change", "sourceAnchor": "F39SWQrM2EidaboN8UC8Ww==", "new": "x"}, jose.A256GCM, jose.ECDH_ES_A256KW, nil, m.first), fails("secrets", "invalid")),
	}
	moved := add("the id on the wire is another", m.outer(good, nil), fails("open", "tampered"))
	moved.Message.ID = "0195f0c5-51a0-7abc-8def-0123456789ab"
	vectors["request-moved-id"] = moved
	redirected := add("the reply session on the wire is another", m.outer(good, nil), fails("open", "tampered"))
	redirected.Message.ReplySession = "front-2"
	vectors["request-redirected"] = redirected
	return vectors
}

func (m *maker) others() map[string]vector {
	answer := object{
		"trackingId": vectorID, "tenant": "contoso", "requestHash": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU", "replySession": "front-1",
		"agentId": "agent-1", "outcome": "policyViolation", "dc": "dc1.corp.example", "issuedAt": m.now,
		"violation": object{"rule": "minimumAge", "certainty": "certain", "until": m.now.Add(time.Hour), "policy": object{
			"name": "Default Domain Policy", "minimumLength": 7, "complexity": true, "history": 24, "minimumAgeSeconds": 86400, "maximumAgeSeconds": 3628800}},
	}
	beat := object{
		"id": "beat-1", "tenant": "contoso", "agentId": "agent-1", "agentName": "host1", "version": "v1", "mode": "active", "keys": []string{m.thumbprint(m.first)},
		"relays": []object{{"host": "localhost:10443", "listening": true}}, "domains": []object{{"domain": "corp.example", "dc": "dc1.corp.example"}},
		"ready": true, "issuedAt": m.now.Add(-time.Second),
	}
	unheard := []object{{"code": "moon-in-the-way", "severity": "cosmic", "subject": "corp.example", "text": "The moon is in the way.", "dependsOn": []string{"orbit"}}}
	with := func(o, change object) object {
		out := maps.Clone(o)
		maps.Copy(out, change)
		return out
	}
	typed := func(typ string, o, change object) object {
		out := object{"typ": typ}
		maps.Copy(out, o)
		maps.Copy(out, change)
		return out
	}
	seal := func(kind, comment string, o, change object, want vectorWant) vector {
		return m.vector(kind, comment, m.outer(typed(kind, o, change), nil), want)
	}
	vectors := map[string]vector{
		"answer":                 seal("answer", "a refusal by policy", answer, nil, vectorWant{Payload: m.marshal(answer)}),
		"answer-unknown-outcome": seal("answer", "an outcome that is not in the table", answer, object{"outcome": "perhaps"}, vectorWant{Stage: "open", Error: "invalid"}),
		"answer-foreign-tenant":  seal("answer", "of another tenant", answer, object{"tenant": "fabrikam"}, vectorWant{Stage: "open", Error: "foreignTenant"}),
		"heartbeat":              seal("heartbeat", "a fresh one", beat, nil, vectorWant{Payload: m.marshal(beat)}),
		"heartbeat-health":       seal("heartbeat", "what is wrong, by a code and a severity that nobody knows yet", beat, object{"health": unheard}, vectorWant{Payload: m.marshal(with(beat, object{"health": unheard}))}),
		"heartbeat-stale":        seal("heartbeat", "older than two intervals", beat, object{"issuedAt": m.now.Add(-10*time.Minute - time.Second)}, vectorWant{Stage: "time", Error: "stale"}),
		"heartbeat-as-answer":    m.vector("heartbeat", "an answer in a heartbeat's place", m.outer(typed("answer", answer, nil), nil), vectorWant{Stage: "open", Error: "malformed"}),
	}
	moved := seal("answer", "in another front end's session", answer, nil, vectorWant{Stage: "open", Error: "tampered"})
	moved.Message.SessionID = "front-2"
	vectors["answer-moved-session"] = moved
	return vectors
}

// flipBit turns one bit of a part of a compact serialisation.
func flipBit(body string, part int) string {
	parts := strings.Split(body, ".")
	raw, err := base64.RawURLEncoding.DecodeString(parts[part])
	if err != nil {
		panic(err)
	}
	raw[len(raw)/2] ^= 1
	parts[part] = base64.RawURLEncoding.EncodeToString(raw)
	return strings.Join(parts, ".")
}

func (m *maker) write(name string, v vector) {
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		m.t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".json"), text.Bytes(), 0o644); err != nil {
		m.t.Fatal(err)
	}
}
