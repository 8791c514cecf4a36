package fakead_test

import (
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"
	"pgregory.net/rapid"

	"passback/clock"
	"passback/fakead"
)

// Whatever is sent over LDAP, in whatever order: no password can be read anywhere, no more passwords are refused as used
// than the policy says, and no lockout outlasts its duration.
func TestWhateverIsSentOverLDAP(t *testing.T) {
	checksUnlessAsked(t, 25)
	l := newLDAPLab(t)
	start := l.dc.Snapshot()
	rapid.Check(t, func(r *rapid.T) {
		if err := l.dc.Restore(start); err != nil {
			t.Fatal(err)
		}
		l.begin(r)
		r.Repeat(map[string]func(*rapid.T){
			"add": l.add, "modify": l.modify, "reset": l.reset, "change": l.change, "reuse": l.reuse, "rename": l.rename, "delete": l.delete,
			"guess": l.guess, "sign in": l.signIn, "policy": l.changePolicy, "PSO": l.changePSO, "heuristics": l.switchHeuristics, "advance": l.advance,
		})
		l.readEverything(r)
		l.waitForLockouts(r)
	})
}

// checksUnlessAsked lets a property that is slow to check be checked less often than others, where nobody says -rapid.checks.
func checksUnlessAsked(t *testing.T, checks int) {
	t.Helper()
	const name = "rapid.checks"
	asked := false
	flag.Visit(func(f *flag.Flag) { asked = asked || f.Name == name })
	if asked {
		return
	}
	usual := flag.Lookup(name).Value.String()
	if err := flag.Set(name, strconv.Itoa(checks)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = flag.Set(name, usual) })
}

const (
	ldapLabOU     = "OU=lab," + base
	secretPrefix  = "Secret-" // of every password, and of nothing else
	ldapLabPSO    = "CN=lab," + settingsContainer
	longestLocked = time.Hour
)

// An ldapLab is a domain controller that is asked at random, and what was sent to it.
type ldapLab struct {
	t          *testing.T
	dc         *fakead.Server
	clock      *clock.Running
	admin      *ldap.Conn
	log, audit *lockedBuffer

	secrets    int                 // so far
	past       map[string][]string // passwords that were an account's, the last one current; by sAMAccountName
	heuristics bool                // userPassword is a password
}

func newLDAPLab(t *testing.T) *ldapLab {
	t.Helper()
	l := &ldapLab{t: t, clock: clock.NewRunning(), log: &lockedBuffer{}, audit: &lockedBuffer{}}
	l.dc = fakead.RunT(t, fakead.Options{
		Clock: l.clock, Audit: l.audit, GlobalCatalog: true, Logger: slog.New(slog.NewTextHandler(l.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	l.admin = asAdministrator(t, l.dc)
	ou := ldap.NewAddRequest(ldapLabOU, nil)
	ou.Attribute("objectClass", []string{"organizationalUnit"})
	expect(t, "add the OU", l.admin.Add(ou), 0, "")
	policy := l.dc.Policy()
	policy.MinAge = 0 // so that what is refused as used is refused for that
	l.dc.SetPolicy(policy)
	addPSO(t, l.dc, fakead.PSO{Name: "lab", Precedence: 1, Policy: policy})
	return l
}

func (l *ldapLab) begin(r *rapid.T) {
	l.past, l.heuristics = map[string][]string{}, false
	for range 2 {
		l.add(r)
	}
}

func (l *ldapLab) secret() string {
	l.secrets++
	return fmt.Sprintf("%s%d!x", secretPrefix, l.secrets)
}

var (
	labNames = []string{"u1", "u2", "u3"} // too short to be looked for in passwords
	labWords = []string{"harmless", "0", "-1", "a word", ""}
	labUACs  = []string{"512", "514", "544", "546", "528", "66048", "262656", "8389120", "4096", "8704", "0", "16777216"}
)

// account draws one of those that are there.
func (l *ldapLab) account(r *rapid.T) (name, dn string) {
	var there []string
	for _, name := range labNames {
		if _, err := l.dc.User(name); err == nil {
			there = append(there, name)
		}
	}
	if len(there) == 0 {
		r.Skip("nobody is there")
	}
	name = rapid.SampledFrom(there).Draw(r, "account")
	return name, dnOf(l.t, l.dc, name)
}

// noted notes which of some secrets is an account's now.
func (l *ldapLab) noted(name string, secrets ...string) {
	state, err := l.dc.User(name)
	for _, secret := range secrets {
		if past := l.past[name]; err == nil && state.PasswordIs(secret) && (len(past) == 0 || past[len(past)-1] != secret) {
			l.past[name] = append(past, secret)
		}
	}
}

func (l *ldapLab) add(r *rapid.T) {
	name := rapid.SampledFrom(labNames).Draw(r, "name")
	m := ldap.NewAddRequest("CN="+name+","+ldapLabOU, nil)
	m.Attribute("objectClass", []string{"user"})
	m.Attribute("sAMAccountName", []string{name})
	secret := l.secret()
	if rapid.IntRange(0, 4).Draw(r, "with a password") > 0 {
		m.Attribute("unicodePwd", []string{quoted(secret)})
		m.Attribute("userAccountControl", []string{rapid.SampledFrom(labUACs).Draw(r, "userAccountControl")})
	}
	if err := l.admin.Add(m); err == nil {
		l.past[name] = nil
	}
	l.noted(name, secret)
}

func (l *ldapLab) delete(r *rapid.T) {
	name, dn := l.account(r)
	expect(l.t, "delete", l.admin.Del(ldap.NewDelRequest(dn, nil)), 0, "")
	delete(l.past, name)
}

// modify sends clauses of any form.
func (l *ldapLab) modify(r *rapid.T) {
	name, dn := l.account(r)
	var controls []ldap.Control
	if rapid.Bool().Draw(r, "hints") {
		controls = append(controls, hints(policyHints, true, 1))
	}
	if rapid.Bool().Draw(r, "permissive") {
		controls = append(controls, ldap.NewControlString("1.2.840.113556.1.4.1413", true, ""))
	}
	m := ldap.NewModifyRequest(dn, controls)
	var sent []string
	for range rapid.IntRange(1, 3).Draw(r, "clauses") {
		attribute, values, secrets := l.values(r, name)
		sent = append(sent, secrets...)
		switch rapid.IntRange(0, 2).Draw(r, "operation") {
		case 0:
			m.Add(attribute, values)
		case 1:
			m.Delete(attribute, values)
		default:
			m.Replace(attribute, values)
		}
	}
	_ = l.somebody(r, name).Modify(m) // or is refused
	l.noted(name, sent...)
}

// values draws an attribute, and what to write there.
func (l *ldapLab) values(r *rapid.T, name string) (attribute string, values, secrets []string) {
	attribute = rapid.SampledFrom([]string{
		"unicodePwd", "unicodePwd", "userPassword", "pwdLastSet", "lockoutTime", "userAccountControl", "ntPwdHistory", "supplementalCredentials", "dBCSPwd",
		"badPwdCount", "description", "displayName", "extensionName", "accountExpires", "info",
	}).Draw(r, "attribute")
	for range rapid.IntRange(0, 2).Draw(r, "values") {
		secret := l.secret()
		if past := l.past[name]; len(past) > 0 && rapid.Bool().Draw(r, "known") {
			secret = rapid.SampledFrom(past).Draw(r, "password")
		}
		value := rapid.SampledFrom(labWords).Draw(r, "value")
		switch {
		case attribute == "unicodePwd" && rapid.IntRange(0, 3).Draw(r, "quoted") > 0:
			value, secrets = quoted(secret), append(secrets, secret)
		case slices.Contains([]string{"unicodePwd", "ntPwdHistory", "supplementalCredentials", "dBCSPwd"}, attribute):
			value = secret
		case attribute == "userPassword" && l.heuristics:
			value, secrets = secret, append(secrets, secret)
		case attribute == "userAccountControl":
			value = rapid.SampledFrom(labUACs).Draw(r, "bits")
		}
		values = append(values, value)
	}
	return attribute, values, secrets
}

// somebody is a connection of the administrator, or of the account itself where that can sign in.
func (l *ldapLab) somebody(r *rapid.T, name string) *ldap.Conn {
	if past := l.past[name]; len(past) > 0 && rapid.Bool().Draw(r, "by itself") {
		if c := l.signedIn(name, past[len(past)-1]); c != nil {
			return c
		}
	}
	return l.admin
}

// signedIn is nil for who is not let in.
func (l *ldapLab) signedIn(name, secret string) *ldap.Conn {
	c := connect(l.t, l.dc)
	if err := c.Bind(dnOf(l.t, l.dc, name), secret); err != nil {
		_ = c.Close()
		return nil
	}
	return c
}

func (l *ldapLab) reset(r *rapid.T) {
	name, dn := l.account(r)
	secret := l.secret()
	_ = l.somebody(r, name).Modify(resetRequest(dn, secret))
	l.noted(name, secret)
}

func (l *ldapLab) change(r *rapid.T) {
	name, dn := l.account(r)
	secret := l.secret()
	if past := l.past[name]; len(past) > 0 {
		_ = l.somebody(r, name).Modify(changeRequest(dn, past[len(past)-1], secret))
	}
	l.noted(name, secret)
}

// reuse asks for a password that was the account's before. It may be refused only for what the policy remembers.
func (l *ldapLab) reuse(r *rapid.T) {
	name, dn := l.account(r)
	past := l.past[name]
	if len(past) == 0 {
		r.Skip("it never had a password")
	}
	secret := rapid.SampledFrom(past).Draw(r, "which")
	age := 0
	for past[len(past)-1-age] != secret {
		age++
	}
	m := resetRequest(dn, secret)
	m.Controls = []ldap.Control{hints(policyHints, true, 1)}
	remembered := stateOf(l.t, l.dc, name).Policy.History
	err := l.admin.Modify(m)
	if err != nil && age >= remembered {
		r.Fatalf("a password %d before the current one was refused, with a history of %d: %v", age, remembered, err)
	}
	l.noted(name, secret)
}

func (l *ldapLab) rename(r *rapid.T) {
	_, dn := l.account(r)
	rdn := "CN=" + rapid.SampledFrom([]string{"u1", "u2", "other", "Secretary"}).Draw(r, "name")
	_ = l.admin.ModifyDN(ldap.NewModifyDNRequest(dn, rdn, true, ""))
}

func (l *ldapLab) guess(r *rapid.T) {
	name, _ := l.account(r)
	if err := l.tries(name, l.secret()); err == nil {
		r.Fatalf("%s was let in with a guess", name)
	}
}

func (l *ldapLab) signIn(r *rapid.T) {
	name, _ := l.account(r)
	if past := l.past[name]; len(past) > 0 {
		_ = l.tries(name, past[len(past)-1])
	}
}

// tries binds, as quickly as can be.
func (l *ldapLab) tries(name, secret string) error {
	c, err := ldap.DialURL(l.dc.LDAPURL())
	if err != nil {
		l.t.Fatal(err)
	}
	defer c.Close()
	return c.Bind(dnOf(l.t, l.dc, name), secret)
}

func span(d time.Duration) string { return fmt.Sprint(-int64(d / 100)) }

func drawSpan(r *rapid.T, what string) string {
	return span(rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Minute, longestLocked}).Draw(r, what))
}

func (l *ldapLab) changePolicy(r *rapid.T) {
	m := ldap.NewModifyRequest(base, nil)
	m.Replace("lockoutThreshold", []string{fmt.Sprint(rapid.IntRange(0, 3).Draw(r, "threshold"))})
	m.Replace("lockoutDuration", []string{drawSpan(r, "duration")})
	m.Replace("lockOutObservationWindow", []string{drawSpan(r, "window")})
	m.Replace("pwdHistoryLength", []string{fmt.Sprint(rapid.IntRange(0, 4).Draw(r, "history"))})
	_ = l.admin.Modify(m) // or is refused, where the window is longer than the duration
}

// changePSO changes the fine-grained policy, and perhaps whom it is for.
func (l *ldapLab) changePSO(r *rapid.T) {
	m := ldap.NewModifyRequest(ldapLabPSO, nil)
	m.Replace("msDS-LockoutThreshold", []string{fmt.Sprint(rapid.IntRange(0, 3).Draw(r, "threshold"))})
	m.Replace("msDS-LockoutDuration", []string{drawSpan(r, "duration")})
	m.Replace("msDS-LockoutObservationWindow", []string{drawSpan(r, "window")})
	m.Replace("msDS-PasswordHistoryLength", []string{fmt.Sprint(rapid.IntRange(0, 4).Draw(r, "history"))})
	if rapid.Bool().Draw(r, "for somebody") {
		_, dn := l.account(r)
		m.Replace("msDS-PSOAppliesTo", []string{dn})
	} else {
		m.Replace("msDS-PSOAppliesTo", nil)
	}
	_ = l.admin.Modify(m)
}

func (l *ldapLab) switchHeuristics(r *rapid.T) {
	m := ldap.NewModifyRequest("CN=Directory Service,CN=Windows NT,CN=Services,CN=Configuration,"+base, nil)
	if l.heuristics = !l.heuristics; l.heuristics {
		m.Replace("dSHeuristics", []string{"000000001"})
	} else {
		m.Replace("dSHeuristics", nil)
	}
	if err := l.admin.Modify(m); err != nil {
		r.Fatal(err)
	}
}

func (l *ldapLab) advance(r *rapid.T) {
	l.clock.Advance(rapid.SampledFrom([]time.Duration{time.Minute, 10 * time.Minute, longestLocked, 30 * time.Hour}).Draw(r, "time"))
}
