package fakead_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"passback/fakead"
)

// A lockedBuffer collects a log that several goroutines write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// taken is what was written since it was asked before.
func (l *lockedBuffer) taken() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.b.Reset()
	return l.b.String()
}

// Passwords are in no log, whatever happens to them, a panic included; and a panic costs one connection.
func TestPasswordsAreInNoLog(t *testing.T) {
	var log lockedBuffer
	const cursed = "Cursed-2026!"
	dc := fakead.RunT(t, fakead.Options{
		Logger: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Filters: []fakead.PasswordFilter{func(r fakead.FilterRequest) bool {
			if r.Password == cursed {
				panic("refused " + r.Password)
			}
			return true
		}},
	})
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	_ = connect(t, dc).Bind("alice@corp.example", "Wrong-guess-1")
	_ = admin.Modify(changeRequest(dn, "Wrong-guess-1", newPassword))
	_ = admin.Modify(resetRequest(dn, newPassword))
	other := asAdministrator(t, dc)
	if err := other.Modify(resetRequest(dn, cursed)); err == nil {
		t.Error("a password whose filter panicked was answered")
	}
	if err := admin.Modify(resetRequest(dn, newPassword)); err != nil {
		t.Errorf("after a panic on another connection: %v", err)
	}
	if !strings.Contains(log.String(), "panicked") || !strings.Contains(log.String(), "unicodePwd") {
		t.Error("the log lacks what it should tell")
	}
	for _, secret := range []string{oldPassword, newPassword, cursed, "Wrong-guess-1", dc.AdminPassword()} {
		for _, form := range []string{secret, quoted(secret), base64.StdEncoding.EncodeToString([]byte(quoted(secret)))} {
			if strings.Contains(log.String(), form) {
				t.Errorf("the log contains a password")
			}
		}
	}
}

func TestTypesThatHoldPasswordsDoNotPrintThem(t *testing.T) {
	for _, v := range []any{
		fakead.User{SAM: "alice", Password: oldPassword, OldPasswords: []string{newPassword}},
		&fakead.User{SAM: "alice", Password: oldPassword},
		fakead.Options{AdminPassword: oldPassword},
		fakead.FilterRequest{Account: "alice", Password: oldPassword},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, v); strings.Contains(text, oldPassword) || strings.Contains(text, newPassword) {
				t.Errorf("%s of %T prints a password", verb, v)
			}
		}
	}
}
