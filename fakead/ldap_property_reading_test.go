package fakead_test

// What must hold after whatever was sent: the second half of ldap_property_test.go.

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"

	"passback/fakead/tree"
)

// readEverything looks for passwords wherever anybody can read.
func (l *ldapLab) readEverything(r *rapid.T) {
	readers := map[string]*ldap.Conn{"administrator": asAdministrator(l.t, l.dc), "global catalog": dialCatalog(l.t, l.dc, l.dc.GCSURL())}
	for name, past := range l.past {
		if len(past) > 0 {
			if c := l.signedIn(name, past[len(past)-1]); c != nil {
				readers[name] = c
			}
		}
	}
	every := []string{"*"}
	for _, a := range tree.Attributes() {
		every = append(every, a.Name)
	}
	for who, c := range readers {
		for _, e := range namesFound(l.t, c, ldapLabOU, ldap.ScopeWholeSubtree, "(objectClass=*)", every...).Entries {
			for _, a := range e.Attributes {
				if tree.LookupAttribute(a.Name).NeverReadable || slices.ContainsFunc(a.ByteValues, showsSecret) {
					r.Fatalf("%s reads a password in %s of %s", who, a.Name, e.DN)
				}
			}
		}
		for _, name := range []string{"unicodePwd", "ntPwdHistory", "dBCSPwd", "lmPwdHistory", "supplementalCredentials"} {
			if found := namesFound(l.t, c, ldapLabOU, ldap.ScopeWholeSubtree, "("+name+"=*)", "1.1"); len(found.Entries) > 0 {
				r.Fatalf("%s finds %s by %s", who, found.Entries[0].DN, name)
			}
		}
		_ = c.Close()
	}
	var dump, ldif bytes.Buffer
	if err := l.dc.Dump(&dump); err != nil {
		r.Fatal(err)
	}
	if err := l.dc.WriteLDIF(&ldif); err != nil {
		r.Fatal(err)
	}
	for where, text := range map[string]string{
		"the dump": dump.String(), "the LDIF": strings.ReplaceAll(ldif.String(), "\n ", ""), "the audit": l.audit.taken(),
		"the log": l.log.taken(), "the writes": fmt.Sprintf("%+v", l.dc.PasswordWrites()),
	} {
		if showsSecret([]byte(text)) {
			r.Fatalf("%s shows a password", where)
		}
	}
}

// shownSecrets are what all passwords begin with, in clear and as unicodePwd wants it, and both in base64, in hexadecimal,
// and as Go prints bytes.
var shownSecrets = func() (forms [][]byte) {
	for _, begin := range []string{secretPrefix, strings.TrimSuffix(quoted(secretPrefix), "\"\x00")} {
		whole := begin[:len(begin)/3*3] // groups of base64
		printed := fmt.Sprintf("%d", []byte(begin))
		forms = append(forms, []byte(begin), []byte(base64.StdEncoding.EncodeToString([]byte(whole))), fmt.Appendf(nil, "%x", begin), []byte(printed[1:len(printed)-1]))
	}
	return forms
}()

func showsSecret(b []byte) bool {
	return slices.ContainsFunc(shownSecrets, func(form []byte) bool { return bytes.Contains(b, form) })
}

// waitForLockouts lets the longest lockout that there can be pass.
func (l *ldapLab) waitForLockouts(r *rapid.T) {
	l.clock.Advance(longestLocked + time.Second)
	const computed = "msDS-User-Account-Control-Computed"
	for _, e := range namesFound(l.t, l.admin, ldapLabOU, ldap.ScopeWholeSubtree, "(objectClass=user)", "sAMAccountName", computed).Entries {
		if bits := e.GetAttributeValue(computed); bits != "0" && bits != "8388608" {
			r.Fatalf("%s is locked out still: %s", e.DN, bits)
		}
		name := e.GetAttributeValue("sAMAccountName")
		if past := l.past[name]; len(past) > 0 {
			if err := l.tries(name, past[len(past)-1]); err != nil && strings.Contains(err.Error(), "data 775") {
				r.Fatalf("%s is not let in: %v", e.DN, err)
			}
		}
	}
}
