package targets

import (
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/scenarios"
	"passback/writeback/protocol"
)

// The agent's account may do what was delegated, to those people, and nothing else.
func TestRightsAreDelegatedByACEs(t *testing.T) {
	for name, bed := range beds(t) {
		t.Run(name, func(t *testing.T) { delegateAndRevoke(t, bed) })
	}
}

func delegateAndRevoke(t *testing.T, bed *seedbed) {
	lay(t, bed)
	agent, err := bed.hire()
	if err != nil {
		t.Fatal(err)
	}
	u, err := bed.add(t.Context(), scenarios.Person{Password: protocol.NewSecret("Pb1!wxyzqvmk")})
	if err != nil {
		t.Fatal(err)
	}
	reset := func(password, attribute, value string) error {
		c, err := bed.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if err := c.Bind(agent.user, agent.password.Reveal()); err != nil {
			t.Fatal(err)
		}
		m := ldap.NewModifyRequest(u.DN, nil)
		m.Replace("unicodePwd", []string{quoted(protocol.NewSecret(password))})
		m.Replace(attribute, []string{value})
		return c.Modify(m)
	}
	for attribute, value := range map[string]string{"pwdLastSet": "0", "lockoutTime": "0", protocol.DefaultMarkerAttribute: "x"} {
		if err := reset("Pb1!first"+attribute, attribute, value); err != nil {
			t.Errorf("a reset with %s: %v", attribute, err)
		}
	}
	if err := reset("Pb1!another", "description", "x"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("a reset with description was answered %v, want 50: it was not delegated", err)
	}
	if err := bed.forbidChange(u); err != nil {
		t.Fatal(err)
	}
	if err := reset("Pb1!second", "lockoutTime", "0"); err != nil {
		t.Errorf("a reset of a person who cannot change the password: %v", err)
	}
	if err := bed.revoke(agent, nil); err != nil {
		t.Fatal(err)
	}
	if err := reset("Pb1!third", "lockoutTime", "0"); !ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights) {
		t.Errorf("a reset after the rights were taken back was answered %v, want 50", err)
	}
}
