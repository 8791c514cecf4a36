package protocol_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"passback/writeback/protocol"
)

// FuzzOpen gives every opener what anyone on the wire could. Nothing that was not sealed may open: a mutation of a
// vector either is that vector's own message or fails.
func FuzzOpen(f *testing.F) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		f.Fatalf("no vectors: %v", err)
	}
	seen := map[string]bool{}
	var keys []protocol.PackageKey
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		var v vector
		if err := json.Unmarshal(text, &v); err != nil {
			f.Fatal(err)
		}
		f.Add([]byte(v.Message.Body))
		seen[v.Message.Body] = true
		if keys == nil && v.PrivateKeys != nil {
			key, err := protocol.ParsePackageKey(v.PackageKeys[0].ID, protocol.NewSecret(v.PackageKeys[0].Key))
			if err != nil {
				f.Fatal(err)
			}
			keys = []protocol.PackageKey{key}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		m := protocol.Message{Body: body, ID: vectorID, ReplySession: "front-1", CorrelationID: vectorID, SessionID: "front-1"}
		if _, err := protocol.OpenRequest(keys, "contoso", m); err == nil && !seen[string(body)] {
			t.Errorf("a forged request opened: %q", body)
		}
		if _, err := protocol.OpenAnswer(keys, "contoso", m); err == nil && !seen[string(body)] {
			t.Errorf("a forged answer opened: %q", body)
		}
		m.ID = "beat-1"
		if _, err := protocol.OpenHeartbeat(keys, "contoso", m); err == nil && !seen[string(body)] {
			t.Errorf("a forged heartbeat opened: %q", body)
		}
		_, _, _ = protocol.OpenEnrolRequest(body, time.Time{}, none)
		_, _ = protocol.OpenEnrolResponse(nil, body)
	})
}

// FuzzInner gives OpenSecrets an inner JWE that the tenant's own package key sealed, as a hostile agent could.
func FuzzInner(f *testing.F) {
	m := newMaker(f)
	f.Add([]byte(m.goodInner(m.first)))
	f.Add([]byte(m.goodInner(m.first, m.next)))
	f.Add([]byte(`{"protected":"eyJlbmMiOiJBMjU2R0NNIn0","recipients":[{"header":{"alg":"ECDH-ES+A256KW"},"encrypted_key":""}]}`))
	v := m.vector("request", "", "", vectorWant{})
	f.Fuzz(func(t *testing.T, inner []byte) {
		if !json.Valid(inner) {
			return
		}
		v.Message.Body = m.outer(m.sealedRequest(nil, inner), nil)
		if _, _, secrets, err := v.open(t); err == nil && secrets.New.Reveal() != m.secrets(nil)["new"] {
			t.Error("secrets opened that were never sealed")
		}
	})
}
