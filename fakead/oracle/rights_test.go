package oracle

// Rights are set up by access control entries (MS-DTYP 2.4.4), which both servers take by LDAP.

import "fmt"

// What "delegate" can give: the rights and the GUID that an access control entry names.
var delegable = map[string]struct{ rights, guid string }{
	"reset":         {"CR", "00299570-246d-11d0-a768-00aa006e0529"},
	"pwdLastSet":    {"WP", "bf967a0a-0de6-11d0-a285-00aa003049e2"},
	"lockoutTime":   {"WP", "28630ebf-41d5-11d1-a9c1-0000f80367c1"},
	"extensionName": {"WP", "bf967972-0de6-11d0-a285-00aa003049e2"},
}

const (
	unexpire       = "ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501"
	changePassword = "ab721a53-1e2f-11d0-9819-00aa0040529b"
)

// delegate WHO [reset] [pwdLastSet] [lockoutTime] [extensionName] [unexpire] gives rights on the other accounts.
func setupDelegate(r *run, st statement) error {
	if err := need(st, 2); err != nil {
		return err
	}
	who, err := r.find(st.args[0].text)
	if err != nil {
		return err
	}
	mayUnexpire := false
	for _, arg := range st.args[1:] {
		right, ok := delegable[arg.text]
		switch {
		case arg.text == "unexpire":
			mayUnexpire = true // Authenticated Users have it
		case !ok:
			return fmt.Errorf("no such right: %s", arg.text)
		default:
			if err := r.allowOnOthers(who, right.rights, right.guid); err != nil {
				return err
			}
		}
	}
	if mayUnexpire {
		return nil
	}
	r.headChanged = true
	return r.addACEs(r.server.base, fmt.Sprintf("(OD;;CR;%s;;{%s})", unexpire, who.name))
}

func (r *run) allowOnOthers(who *account, rights, guid string) error {
	for _, a := range r.accounts {
		if a == who {
			continue
		}
		if err := r.addACEs(a.dn, fmt.Sprintf("(OA;;%s;%s;;{%s})", rights, guid, who.name)); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) addACEs(dn, text string) error {
	return setupACL(r, statement{args: []token{{text: dn, quoted: true}, {text: text, quoted: true}}})
}

// restoreHead gives the domain's head the rights that it had when the run began.
func (s *server) restoreHead() error { return s.writeDescriptor(s.admin, s.base, partDACL, s.headDACL) }

// cannotchange NAME is "User cannot change password": two entries that deny Change Password.
func setupCannotChange(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	a, err := r.find(st.args[0].text)
	if err != nil {
		return err
	}
	return r.addACEs(a.dn, fmt.Sprintf("(OD;;CR;%s;;PS)(OD;;CR;%[1]s;;WD)", changePassword))
}

func (s *server) sidOf(a *account) ([]byte, error) {
	e, err := s.entry(a.dn, "objectSid")
	if err != nil {
		return nil, err
	}
	return e.GetRawAttributeValue("objectSid"), nil
}
