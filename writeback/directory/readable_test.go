package directory_test

import (
	"maps"
	"testing"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// An ordinary account may read most of users, through Pre-Windows 2000 Compatible Access. What it may read and is not
// there is what it says; what it may not read looks the same.
func TestMayRead(t *testing.T) {
	l := newLab(t)
	target, _ := l.addUser("target", nil)
	svc, _ := l.addUser("svc", nil)
	c := l.connect(l.open(func(o *directory.Options) { o.User, o.Password = svc, protocol.NewSecret(initialPassword) }))
	want := map[string]bool{"displayName": true, "msDS-ResultantPSO": true, "pwdLastSet": true, "sAMAccountName": true, "noSuchAttribute": false}
	for range 2 {
		may, err := c.MayRead(t.Context(), target, "displayName", "msDS-ResultantPSO", "pwdLastSet", "sAMAccountName", "noSuchAttribute")
		l.must(err)
		if !maps.Equal(may, want) {
			t.Errorf("may read %v, want %v", may, want)
		}
	}
}
