package fakead_test

import (
	"crypto/tls"
	"errors"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// oldPassword and newPassword are acceptable to the default policy.
const (
	oldPassword = "Winter-2026!"
	newPassword = "Summer-2027?"
)

// connect dials LDAPS.
func connect(t *testing.T, dc *fakead.Server) *ldap.Conn {
	t.Helper()
	c, err := ldap.DialURL(dc.LDAPSURL(), ldap.DialWithTLSConfig(&tls.Config{RootCAs: dc.CA().Pool()}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// connectAs dials LDAPS and binds.
func connectAs(t *testing.T, dc *fakead.Server, name, password string) *ldap.Conn {
	t.Helper()
	c := connect(t, dc)
	if err := c.Bind(name, password); err != nil {
		t.Fatalf("bind as %s: %v", name, err)
	}
	return c
}

func asAdministrator(t *testing.T, dc *fakead.Server) *ldap.Conn {
	t.Helper()
	return connectAs(t, dc, dc.AdminDN(), dc.AdminPassword())
}

// seed adds users; their password, unless they have one, is oldPassword, set 30 days ago.
func seed(t *testing.T, dc *fakead.Server, users ...fakead.User) {
	t.Helper()
	for _, u := range users {
		if u.Password == "" {
			u.Password = oldPassword
		}
		if u.PasswordSet.IsZero() {
			u.PasswordSet = dc.Clock().Now().AddDate(0, 0, -30)
		}
		if err := dc.AddUser(u); err != nil {
			t.Fatal(err)
		}
	}
}

func stateOf(t *testing.T, dc *fakead.Server, name string) fakead.UserState {
	t.Helper()
	u, err := dc.User(name)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func dnOf(t *testing.T, dc *fakead.Server, name string) string {
	t.Helper()
	return stateOf(t, dc, name).DN
}

// quoted encodes a value of unicodePwd.
func quoted(password string) string {
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		b.WriteByte(byte(unit))
		b.WriteByte(byte(unit >> 8))
	}
	return b.String()
}

// resetRequest is what an administrator sends, changeRequest what a user does.
func resetRequest(dn, password string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Replace("unicodePwd", []string{quoted(password)})
	return m
}

func changeRequest(dn, from, to string) *ldap.ModifyRequest {
	m := ldap.NewModifyRequest(dn, nil)
	m.Delete("unicodePwd", []string{quoted(from)})
	m.Add("unicodePwd", []string{quoted(to)})
	return m
}

// expect compares an LDAP result with a code and the beginning of its diagnostic message.
func expect(t *testing.T, what string, err error, code uint16, text string) {
	t.Helper()
	var answer *ldap.Error
	switch {
	case err == nil:
		answer = &ldap.Error{Err: errors.New("")}
	case !errors.As(err, &answer):
		t.Errorf("%s: %v", what, err)
		return
	}
	if answer.ResultCode != code || !strings.HasPrefix(answer.Err.Error(), text) {
		t.Errorf("%s: got %d %q, want %d %q", what, answer.ResultCode, answer.Err, code, text)
	}
}
