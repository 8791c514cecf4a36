package protocol_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"passback/writeback/protocol"
)

// The outer seal is JOSE: another implementation opens it, and finds in its header what the protocol says and no more.
func TestAnotherImplementationOpensTheOuterSeal(t *testing.T) {
	raw := bytes.Repeat([]byte{7}, 32)
	m := sealAnswer(t, raw)
	sealed, err := jose.ParseEncryptedCompact(string(m.Body), []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		t.Fatal(err)
	}
	text, err := sealed.Decrypt(raw)
	if err != nil {
		t.Fatal(err)
	}
	var answer struct{ Typ, Outcome, TrackingID string }
	if err := json.Unmarshal(text, &answer); err != nil || answer.Typ != "answer" || answer.Outcome != "success" || answer.TrackingID != vectorID {
		t.Errorf("it holds %s, %v", text, err)
	}
	header, _, _ := strings.Cut(string(m.Body), ".")
	if text, _ := base64.RawURLEncoding.DecodeString(header); string(text) != `{"alg":"dir","enc":"A256GCM","kid":"k1"}` {
		t.Errorf("the header is %s", text)
	}
	if again := sealAnswer(t, raw); string(again.Body) == string(m.Body) {
		t.Error("two seals of one text are the same")
	}
}

// The inner seal is JOSE too, flattened for one agent and general for several: another implementation opens it with each
// agent's key.
func TestAnotherImplementationOpensTheInnerSeal(t *testing.T) {
	for _, n := range []int{1, 3} {
		var own []protocol.PrivateKey
		var to []protocol.PublicKey
		for range n {
			key := newKey(t)
			own, to = append(own, key), append(to, key.Public())
		}
		inner := innerOf(t, to)
		sealed, err := jose.ParseEncryptedJSON(inner, []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM})
		if err != nil {
			t.Fatal(err)
		}
		for i, key := range own {
			at, header, text, err := sealed.DecryptMulti(ecdsaOf(t, key))
			var secrets struct{ New, TrackingID string }
			if err != nil || json.Unmarshal(text, &secrets) != nil || secrets.New != sealedPassword || secrets.TrackingID != vectorID {
				t.Errorf("agent %d of %d: %v", i, n, err)
			}
			if at != i || header.KeyID != key.Thumbprint() {
				t.Errorf("agent %d of %d: opened as recipient %d, kid %s", i, n, at, header.KeyID)
			}
		}
		if _, _, _, err := sealed.DecryptMulti(ecdsaOf(t, newKey(t))); err == nil {
			t.Errorf("one of nobody's keys opened what is sealed to %d", n)
		}
	}
}

// innerOf is the inner JWE of a request.
func innerOf(t *testing.T, to []protocol.PublicKey) string {
	t.Helper()
	raw := bytes.Repeat([]byte{7}, 32)
	sealed, err := jose.ParseEncryptedCompact(string(sealTo(t, packageKey(t, raw), time.Now(), to).Body), []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		t.Fatal(err)
	}
	text, err := sealed.Decrypt(raw)
	if err != nil {
		t.Fatal(err)
	}
	var request struct{ Secrets json.RawMessage }
	if err := json.Unmarshal(text, &request); err != nil {
		t.Fatal(err)
	}
	return string(request.Secrets)
}

// A message has one spelling, and one hash.
func TestTheOuterSealHasOneForm(t *testing.T) {
	raw := bytes.Repeat([]byte{7}, 32)
	m := sealAnswer(t, raw)
	parts := strings.Split(string(m.Body), ".")
	with := func(i int, part string) string {
		changed := append([]string(nil), parts...)
		changed[i] = part
		return strings.Join(changed, ".")
	}
	for what, body := range map[string]string{
		"an encrypted key":              with(1, "AAAA"),
		"a longer vector":               with(2, parts[2]+"AAAA"),
		"a part of the vector moved on": strings.Join([]string{parts[0], "", parts[2][:12], parts[2][12:] + parts[3], parts[4]}, "."),
		"a shorter tag":                 with(4, parts[4][:20]),
		"spare bits":                    with(4, parts[4][:21]+string(parts[4][21]+1)), // Q, g, w or A, of which two bits count
		"padding":                       with(4, parts[4]+"=="),
		"a part more":                   string(m.Body) + ".",
		"a part less":                   strings.Join(parts[:4], "."),
		"a line break within":           with(3, parts[3][:4]+"\n"+parts[3][4:]),
	} {
		changed := m
		changed.Body = []byte(body)
		if _, err := protocol.OpenAnswer([]protocol.PackageKey{packageKey(t, raw)}, "contoso", changed); !errors.Is(err, protocol.ErrMalformed) {
			t.Errorf("%s: got %v, want ErrMalformed", what, err)
		}
	}
}

func sealAnswer(t *testing.T, raw []byte) protocol.Message {
	t.Helper()
	m, err := protocol.SealAnswer(packageKey(t, raw), protocol.Answer{
		TrackingID: vectorID, Tenant: "contoso", RequestHash: "hash", ReplySession: "front-1", AgentID: "agent-1",
		Outcome: protocol.Success, IssuedAt: time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func packageKey(t *testing.T, raw []byte) protocol.PackageKey {
	t.Helper()
	key, err := protocol.ParsePackageKey("k1", protocol.NewSecret(base64.RawURLEncoding.EncodeToString(raw)))
	if err != nil {
		t.Fatal(err)
	}
	return key
}
