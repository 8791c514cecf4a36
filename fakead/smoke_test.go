package fakead_test

import (
	"testing"

	"passback/fakead"
)

func TestSmoke(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice", DisplayName: "Alice Example"}, fakead.User{SAM: "svc"})
	dc.Delegate("svc", fakead.Rights{ResetPassword: true, Unexpire: true})
	c := connectAs(t, dc, "alice@corp.example", oldPassword)
	w, err := c.WhoAmI(nil)
	t.Log(w, err)
	dn := dnOf(t, dc, "alice")
	t.Log(c.Modify(changeRequest(dn, oldPassword, "abc")))
	t.Log(c.Modify(changeRequest(dn, oldPassword, oldPassword)))
	t.Log(c.Modify(changeRequest(dn, "xx", newPassword)))
	t.Log(c.Modify(changeRequest(dn, oldPassword, newPassword)))
	t.Log(c.Modify(resetRequest(dn, newPassword)))
	v := connectAs(t, dc, `CORP\svc`, oldPassword)
	t.Log(v.Modify(resetRequest(dn, "abc")))
	t.Log(v.Modify(resetRequest(dn, newPassword+"1")))
	t.Log(c.Bind(dn, oldPassword))
	t.Log(c.Bind("Corp.example/users/alice example", newPassword+"1"))
	for _, w := range dc.PasswordWrites() {
		t.Log(w)
	}
}
