package protocol_test

import (
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"passback/writeback/protocol"
)

// A vector is one file of testdata: what is given to an opener, and what must come of it. Nothing in it is Go's,
// so that an implementation in another language can run the same files. vectors_make_test.go made them.
type vector struct {
	Comment     string            `json:"comment"`
	Kind        string            `json:"kind"` // request, answer or heartbeat
	Tenant      string            `json:"tenant"`
	Now         time.Time         `json:"now"`
	PackageKeys []vectorKey       `json:"packageKeys"`
	PrivateKeys []jose.JSONWebKey `json:"privateKeys,omitempty"`
	Message     vectorMessage     `json:"message"`
	Want        vectorWant        `json:"want"`
}

type vectorKey struct {
	ID  string `json:"kid"`
	Key string `json:"k"`
}

type vectorMessage struct {
	Body          string `json:"body"`
	ID            string `json:"id,omitempty"`
	CorrelationID string `json:"correlationId,omitempty"`
	SessionID     string `json:"sessionId,omitempty"`
	ReplySession  string `json:"replySession,omitempty"`
}

// Error and Stage are empty where everything opens and is in time.
type vectorWant struct {
	Stage   string          `json:"stage,omitempty"` // open, time or secrets: where it fails
	Error   string          `json:"error,omitempty"`
	Payload json.RawMessage `json:"payload,omitempty"`
	Old     string          `json:"old,omitempty"`
	New     string          `json:"new,omitempty"`
}

var vectorErrors = map[string]error{
	"tooLarge": protocol.ErrTooLarge, "malformed": protocol.ErrMalformed, "unknownKey": protocol.ErrUnknownKey,
	"tampered": protocol.ErrTampered, "foreignTenant": protocol.ErrForeignTenant, "noRecipient": protocol.ErrNoRecipient,
	"expired": protocol.ErrExpired, "stale": protocol.ErrStale, "invalid": protocol.ErrInvalid,
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".json"), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var v vector
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			v.run(t)
		})
	}
}

func (v vector) run(t *testing.T) {
	stage, payload, secrets, err := v.open(t)
	if stage != v.Want.Stage || !errors.Is(err, vectorErrors[v.Want.Error]) {
		t.Fatalf("failed at %q with %v, want at %q with %q", stage, err, v.Want.Stage, v.Want.Error)
	}
	if err != nil {
		return
	}
	got, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	if !sameJSON(t, got, v.Want.Payload) {
		t.Errorf("opened\n%s, want\n%s", got, v.Want.Payload)
	}
	if secrets.Old.Reveal() != v.Want.Old || secrets.New.Reveal() != v.Want.New {
		t.Error("the secrets are not those that were sealed")
	}
}

func (v vector) open(t *testing.T) (stage string, payload any, secrets protocol.Secrets, err error) {
	var keys []protocol.PackageKey
	for _, k := range v.PackageKeys {
		key, err := protocol.ParsePackageKey(k.ID, protocol.NewSecret(k.Key))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	m := protocol.Message{Body: []byte(v.Message.Body), ID: v.Message.ID, CorrelationID: v.Message.CorrelationID,
		SessionID: v.Message.SessionID, ReplySession: v.Message.ReplySession}
	switch v.Kind {
	case "answer":
		answer, err := protocol.OpenAnswer(keys, v.Tenant, m)
		return failedAt("open", err), answer, secrets, err
	case "heartbeat":
		beat, err := protocol.OpenHeartbeat(keys, v.Tenant, m)
		if err != nil {
			return "open", nil, secrets, err
		}
		err = beat.CheckFresh(v.Now, time.Time{})
		return failedAt("time", err), beat, secrets, err
	}
	p, err := protocol.OpenRequest(keys, v.Tenant, m)
	if err != nil {
		return "open", nil, secrets, err
	}
	if err := p.Request.Validate(); err != nil {
		return "validate", nil, secrets, err
	}
	if err := p.Request.CheckTime(v.Now); err != nil {
		return "time", nil, secrets, err
	}
	secrets, err = protocol.OpenSecrets(p, v.privateKeys(t))
	return failedAt("secrets", err), p.Request, secrets, err
}

func (v vector) privateKeys(t *testing.T) (keys []protocol.Decrypter) {
	for _, jwk := range v.PrivateKeys {
		der, err := x509.MarshalPKCS8PrivateKey(jwk.Key.(*ecdsa.PrivateKey))
		if err != nil {
			t.Fatal(err)
		}
		key, err := protocol.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	return keys
}

func failedAt(stage string, err error) string {
	if err != nil {
		return stage
	}
	return ""
}

func sameJSON(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if err := errors.Join(json.Unmarshal(a, &x), json.Unmarshal(b, &y)); err != nil {
		t.Fatal(err)
	}
	return reflect.DeepEqual(x, y)
}
