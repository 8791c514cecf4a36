package writeback

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// TestOnARealDomainController takes one account through what people do, on any domain controller that may be played
// with, bound by password and, where it gives tickets (PASSBACK_DC_KDC), by Kerberos. Only a real one can say whether
// the fake tells the truth.
func TestOnARealDomainController(t *testing.T) {
	dc := os.Getenv("PASSBACK_DC_URL")
	if dc == "" {
		t.Skip("PASSBACK_DC_URL (ldaps://host:port), PASSBACK_DC_CA (PEM file), PASSBACK_DC_ADMIN and PASSBACK_DC_PASSWORD name no real domain controller")
	}
	t.Run(bindSimple, func(t *testing.T) { onARealDomainController(t, newRealDC(t, dc, false)) })
	t.Run(bindGSSAPI, func(t *testing.T) {
		if os.Getenv("PASSBACK_DC_KDC") == "" {
			t.Skip("PASSBACK_DC_KDC does not say that it gives tickets")
		}
		onARealDomainController(t, newRealDC(t, dc, true))
	})
}

func onARealDomainController(t *testing.T, r *realDC) {
	a := &applier{domains: []*directory.Domain{r.domain}, log: slog.New(slog.DiscardHandler)}
	first := r.request(protocol.Reset, "", newPassword)
	short, history := r.request(protocol.Reset, "", "Aa1-"), r.request(protocol.Reset, "", newPassword)
	late := r.request(protocol.Reset, "", newerPassword)
	late.request.Deadline = clock.Real().Now()
	newest := r.request(protocol.Reset, "", newerPassword)
	newest.request.Unlock = true
	newest.request.Supersedes = []protocol.TrackingID{r.request(protocol.Reset, "", newPassword).request.TrackingID}
	superseded := r.request(protocol.Reset, "", newPassword)
	superseded.request.TrackingID = newest.request.Supersedes[0]
	for _, step := range []struct {
		what  string
		job   task
		fresh bool // the password must be changed, so that no minimum age stands in the way
		want  protocol.Outcome
		rule  protocol.Rule
		then  string // the password afterwards
	}{
		{"reset", first, true, protocol.Success, "", newPassword},
		{"the same again", first, true, protocol.Success, "", newPassword},
		{"too short", short, true, protocol.PolicyViolation, protocol.RuleLength, newPassword},
		{"in history", history, true, protocol.PolicyViolation, protocol.RuleHistory, newPassword},
		{"a burnt request again", short, true, protocol.PolicyViolation, protocol.RuleUnknown, newPassword},
		{"too late", late, true, protocol.Expired, "", newPassword},
		{"wrong old password", r.request(protocol.Change, "Not-My-Password-1", newerPassword), true, protocol.IncorrectPassword, "", newPassword},
		{"change", r.request(protocol.Change, newPassword, "Autumn-Evening-44"), true, protocol.Success, "", "Autumn-Evening-44"},
		{"too young", r.request(protocol.Change, "Autumn-Evening-44", newerPassword), false, protocol.PolicyViolation, protocol.RuleMinimumAge, "Autumn-Evening-44"},
		{"newer", newest, true, protocol.Success, "", newerPassword},
		{"which it superseded", superseded, true, protocol.Superseded, "", newerPassword},
		{"unlock", r.request(protocol.Unlock, "", ""), true, protocol.Success, "", newerPassword},
	} {
		if step.fresh {
			r.replace("pwdLastSet", "0")
		}
		d := a.apply(t.Context(), step.job)
		if d.outcome != step.want || d.settle != answerThenComplete {
			t.Errorf("%s: %s (%s), want %s", step.what, d.outcome, d.detail, step.want)
		}
		if step.rule != "" && (d.violation == nil || d.violation.Rule != step.rule) {
			t.Errorf("%s: violation %+v, want %s", step.what, d.violation, step.rule)
		}
		r.replace("pwdLastSet", "-1") // a password that must be changed does not bind
		if !r.binds(step.then) {
			t.Errorf("%s: afterwards the password is not what it should be", step.what)
		}
	}
}

type realDC struct {
	t       *testing.T
	address string
	roots   *x509.CertPool
	admin   *ldap.Conn
	domain  *directory.Domain
	host    string
	dn      string
	anchor  string
}

func (r *realDC) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatal(err)
	}
}

func newRealDC(t *testing.T, dc string, kerberos bool) *realDC {
	t.Helper()
	r := &realDC{t: t, roots: x509.NewCertPool()}
	u, err := url.Parse(dc)
	r.must(err)
	pem, err := os.ReadFile(os.Getenv("PASSBACK_DC_CA"))
	r.must(err)
	r.roots.AppendCertsFromPEM(pem)
	r.address = u.Host
	r.admin = r.dial()
	user, secret := os.Getenv("PASSBACK_DC_ADMIN"), os.Getenv("PASSBACK_DC_PASSWORD")
	r.must(r.admin.Bind(user, secret))
	root, err := r.admin.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"*"}, nil))
	r.must(err)
	r.host = strings.ToLower(root.Entries[0].GetEqualFoldAttributeValue("dnsHostName"))
	_, name, _ := strings.Cut(r.host, ".")
	if kerberos {
		account, err := r.admin.Search(ldap.NewSearchRequest(user, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"sAMAccountName"}, nil))
		r.must(err)
		user = account.Entries[0].GetAttributeValue("sAMAccountName") + "@" + name
	}
	r.domain, err = directory.New(directory.Options{Domain: name, Servers: []string{r.address}, Roots: r.roots, User: user, Password: protocol.NewSecret(secret), Kerberos: kerberos})
	r.must(err)
	t.Cleanup(r.domain.Close)
	r.addUser(root.Entries[0].GetEqualFoldAttributeValue("defaultNamingContext"))
	return r
}

func (r *realDC) addUser(base string) {
	sam := fmt.Sprint("passback-", os.Getpid())
	r.dn = fmt.Sprintf("CN=%s,CN=Users,%s", sam, base)
	add := ldap.NewAddRequest(r.dn, nil)
	for name, value := range map[string]string{"objectClass": "user", "sAMAccountName": sam, "userAccountControl": "512", "unicodePwd": quoted(firstPassword)} {
		add.Attribute(name, []string{value})
	}
	r.must(r.admin.Add(add))
	r.t.Cleanup(func() { _ = r.admin.Del(ldap.NewDelRequest(r.dn, nil)) })
	found, err := r.admin.Search(ldap.NewSearchRequest(r.dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"objectGUID"}, nil))
	r.must(err)
	r.anchor = base64.StdEncoding.EncodeToString(found.Entries[0].GetRawAttributeValue("objectGUID"))
}

func (r *realDC) dial() *ldap.Conn {
	r.t.Helper()
	host, _, _ := strings.Cut(r.address, ":")
	c, err := ldap.DialURL("ldaps://"+r.address, ldap.DialWithTLSConfig(&tls.Config{RootCAs: r.roots, ServerName: host}))
	r.must(err)
	r.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (r *realDC) request(op protocol.Operation, old, password string) task {
	r.t.Helper()
	id, err := protocol.NewTrackingID()
	r.must(err)
	now := clock.Real().Now()
	return task{
		request: protocol.Request{TrackingID: id, Operation: op, SourceAnchor: r.anchor, Domain: r.domain.Name(), DC: r.host,
			IssuedAt: now, Deadline: now.Add(protocol.DefaultDeadline)},
		secrets:  protocol.Secrets{Old: protocol.NewSecret(old), New: protocol.NewSecret(password)},
		delivery: delivery{count: 1},
	}
}

func (r *realDC) replace(attribute, value string) {
	r.t.Helper()
	req := ldap.NewModifyRequest(r.dn, nil)
	req.Replace(attribute, []string{value})
	r.must(r.admin.Modify(req))
}

func (r *realDC) binds(password string) bool { return r.dial().Bind(r.dn, password) == nil }

func quoted(p string) string {
	var b strings.Builder
	for _, u := range utf16.Encode([]rune(`"` + p + `"`)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}
