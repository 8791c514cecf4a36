package fakerelay_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// syncBuffer is a log that several goroutines write to.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

func TestNoSecretInLogsOrErrors(t *testing.T) {
	var log syncBuffer
	k := newKey(fakerelay.Manage)
	n := fakerelay.RunOptionsT(t, fakerelay.Options{
		Keys: []fakerelay.Key{k}, Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	send(t, newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue), body("m"))
	wrong := k
	wrong.Secret = fakerelay.NewSecret()
	err := refused(t, client(t, n.ConnectionStringFor(wrong), nil), fakerelay.DefaultQueue)
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
	setErr := n.SetKey("", fakerelay.Key{Name: "x", Secret: k.Secret})
	if setErr == nil {
		t.Error("a key without rights was taken")
	}
	eventually(t, "a log of the refusal", func() bool { return strings.Contains(log.String(), "token refused") })
	said := log.String() + errors.Join(err, setErr).Error()
	for what, secret := range map[string]string{"the key": k.Secret, "the wrong key": wrong.Secret, "a signature": "sig="} {
		if strings.Contains(said, secret) {
			t.Errorf("%s is in the log or in an error", what)
		}
	}
}
