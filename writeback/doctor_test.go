package writeback_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"passback/fakead"
	"passback/fakead/security"
	"passback/localca"
	"passback/writeback"
	"passback/writeback/protocol"
)

// doctor returns the exit code and the findings by "group/check".
func (l *lab) doctor(line ...string) (code int, found map[string]writeback.Finding) {
	l.t.Helper()
	code, out, errs := l.verb(append([]string{"doctor", "--json"}, line...)...)
	var findings []writeback.Finding
	if err := json.Unmarshal([]byte(out), &findings); err != nil {
		l.t.Fatalf("doctor: exit code %d: %s%s", code, out, errs)
	}
	found = map[string]writeback.Finding{}
	for _, f := range findings {
		if f.Found == "" || (f.Result == writeback.Warning || f.Result == writeback.Failure) && f.Advice == "" {
			l.t.Errorf("a line without a finding or without advice: %+v", f)
		}
		found[f.Group+"/"+f.Check] = f
	}
	return code, found
}

// youngPasswordsMayChange is the policy that doctor advises.
func (l *lab) youngPasswordsMayChange() {
	p := l.dc.Policy()
	p.MinAge = 0
	l.dc.SetPolicy(p)
}

func TestDoctorFindsAHealthyAgentHealthy(t *testing.T) {
	l := newLab(t)
	l.youngPasswordsMayChange()
	l.start(l.enrolled())
	eventually(t, "a status that says so", func() bool { return l.status().TakesRequests })
	writes, beats := len(l.dc.PasswordWrites()), len(l.beats())
	code, found := l.doctor("--user", "alice@corp.example")
	for name, f := range found {
		if f.Result != writeback.Fine {
			t.Errorf("%s: %+v", name, f)
		}
	}
	if code != 0 || len(found) < 30 {
		t.Errorf("exit code %d, %d findings", code, len(found))
	}
	if len(l.dc.PasswordWrites()) != writes || len(l.beats()) != beats {
		t.Error("doctor left something behind")
	}
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("beside doctor the agent answered %+v", a)
	}
}

// TestDoctorFindsWhatIsWrong makes one thing wrong at a time.
func TestDoctorFindsWhatIsWrong(t *testing.T) {
	for name, sick := range map[string]struct {
		harm   func(*lab)
		line   string // of doctor; empty: none
		check  string
		result writeback.Result
		says   string // in what was found or advised
	}{
		"not enrolled":      {func(l *lab) { must(l.t, os.RemoveAll(l.path("state"))) }, "", "host/state folder", writeback.Failure, "Run enroll"},
		"open state folder": {func(l *lab) { must(l.t, os.Chmod(l.path("state"), 0o755)) }, "", "host/state folder", writeback.Failure, "0700"},
		"cloud away":        {func(l *lab) { l.enrol.Close() }, "", "cloud/enrolment", writeback.Failure, "port 443"},
		"unenrolled":        {unknownToTheCloud, "", "cloud/enrolment", writeback.Failure, "Enrol this host again"},
		"clock":             {func(l *lab) { l.skew = -time.Minute }, "", "cloud/clock", writeback.Failure, "Synchronise"},
		"a domain missing":  {func(l *lab) { l.mode = protocol.Staging }, "", "cloud/mode", writeback.Warning, "the tenant says so"},
		"relay away":        {func(l *lab) { must(l.t, l.relay.Close()) }, "", "relay/reachable", writeback.Failure, "through"},
		"rule taken away":   {withoutStatusRule, "", "relay/credentials", writeback.Failure, "refuses the agent's credentials"},
		"other authority":   {otherAuthority, "", "directory/TLS, rootDSE and bind", writeback.Failure, "ca_file"},
		"wrong password":    {func(l *lab) { l.write("bind.secret", "Not-The-Password-1") }, "", "directory/TLS, rootDSE and bind", writeback.Failure, "bind.user"},
		"controller away":   {func(l *lab) { must(l.t, l.dc.Close()) }, "", "directory/controller to write to", writeback.Failure, "refused"},
		"global catalog":    {func(l *lab) { l.servers("127.0.0.1:3269") }, "", "directory/ports", writeback.Failure, "global catalog"},
		"plain port":        {func(l *lab) { l.servers("127.0.0.1:389") }, "", "directory/ports", writeback.Failure, "636"},
		"StartTLS on LDAPS": {func(l *lab) { l.startTLS("127.0.0.1:636") }, "", "directory/ports", writeback.Failure, "389"},
		"no policy hints":   {func(l *lab) { l.dc.SetPolicyHints(false) }, "", "directory/policy hints", writeback.Failure, "skip the policy"},
		"minimum age":       {func(*lab) {}, "", "policy/minimum age", writeback.Warning, "Set it to 0"},
		"no such user":      {func(*lab) {}, "nobody", "rights/sample user", writeback.Failure, "0 accounts"},
		"protected user":    {func(*lab) {}, "Administrator", "rights/protected account", writeback.Warning, "AdminSDHolder"},
		"no reset":          {without(func(r *fakead.Rights) { r.ResetPassword = false }), "alice", "rights/Reset Password", writeback.Failure, "CA;Reset Password;user"},
		"no pwdLastSet":     {without(func(r *fakead.Rights) { r.WritePwdLastSet = false }), "alice", "rights/write pwdLastSet", writeback.Failure, "WP;pwdLastSet;user"},
		"no lockoutTime":    {without(func(r *fakead.Rights) { r.WriteLockoutTime = false }), "alice", "rights/write lockoutTime", writeback.Failure, "WP;lockoutTime;user"},
		"no marker":         {without(func(r *fakead.Rights) { r.WriteMarker = "" }), "alice", "rights/write the marker", writeback.Failure, "WP;extensionName;user"},
		"no Unexpire":       {without(func(r *fakead.Rights) { r.Unexpire = false }), "alice", "rights/Unexpire Password on the domain", writeback.Failure, "CA;Unexpire Password"},
		"cannot change":     {func(l *lab) { must(l.t, l.dc.SetCannotChange("alice", true)) }, "alice", "rights/Change Password", writeback.Warning, "User cannot change password"},
		"inheritance off":   {descriptor("D:PAI(A;;GA;;;BA)(A;;RPRC;;;AU)"), "alice", "rights/inheritance", writeback.Warning, "Switch it on"},
		"marker not read":   {descriptor("D:PAI(A;;GA;;;BA)(OD;;RP;bf967972-0de6-11d0-a285-00aa003049e2;;AU)(A;;RPRC;;;AU)"), "alice", "rights/read the marker", writeback.Failure, "RP;extensionName;user"},
		"rules not read":    {descriptor("D:PAI(OD;;RP;b77ea093-88d0-4780-9a98-911f8e8b1dca;;AU)(A;;GA;;;BA)(A;;RPRC;;;AU)"), "alice", "rights/read what the rules need", writeback.Warning, "RP;msDS-ResultantPSO;user"},
		"rights not read":   {descriptor("D:PAI(A;;GA;;;BA)(A;;RP;;;AU)"), "alice", "rights/Reset Password", writeback.Warning, "could not be read"},
		"an administrator":  {administrator, "alice", "rights/no more than needed", writeback.Warning, "and no more"},
		"policy not read":   {ownPolicy, "alice", "rights/policy in effect", writeback.Warning, "only Domain Admins"},
		"policy's own age":  {readableOwnPolicy, "alice", "rights/policy in effect", writeback.Warning, "1h0m0s in strict"},
		"nobody to ask":     {func(l *lab) { l.write("bind.secret", "Not-The-Password-1") }, "alice", "rights/sample user", writeback.Failure, "no domain"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.enrolled()
			if sick.check != "policy/minimum age" {
				l.youngPasswordsMayChange()
			}
			sick.harm(l)
			var line []string
			if sick.line != "" {
				line = []string{"--user", sick.line}
			}
			code, found := l.doctor(line...)
			f := found[sick.check]
			if f.Result != sick.result || !strings.Contains(f.Found+f.Advice, sick.says) {
				t.Errorf("%s: %+v, want a %s that says %q", sick.check, f, sick.result, sick.says)
			}
			want := 4 // nothing but warnings
			for _, f := range found {
				if f.Result == writeback.Failure {
					want = 1
				}
			}
			if code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
		})
	}
}

func unknownToTheCloud(l *lab) {
	l.refuse = &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolUnknownAgent, Message: "unenrolled"}
}

// withoutStatusRule breaks what heartbeats need, and nothing else.
func withoutStatusRule(l *lab) {
	must(l.t, l.relay.DeleteKey(protocol.QueueStatus, l.agents[0].Thumbprint()[:8]+"-status"))
}

func otherAuthority(l *lab) {
	ca, err := localca.New()
	must(l.t, err)
	l.write("other.pem", string(ca.PEM()))
	l.writeConfig(strings.Replace(l.yaml(""), "    ca_file: ca.pem", "    ca_file: other.pem", 1))
}

func (l *lab) servers(address string) {
	l.writeConfig(strings.Replace(l.yaml(""), strings.TrimPrefix(l.dc.LDAPSURL(), "ldaps://"), address, 1))
}

func (l *lab) startTLS(address string) {
	l.servers(address)
	text, err := os.ReadFile(l.path("agent.yaml"))
	must(l.t, err)
	l.writeConfig(strings.Replace(string(text), "    ca_file: ca.pem", "    starttls: true\n    ca_file: ca.pem", 1))
}

// without takes a right from the agent's account.
func without(less func(*fakead.Rights)) func(*lab) {
	return func(l *lab) {
		rights := fakead.Rights{
			ResetPassword: true, ChangePassword: true, WritePwdLastSet: true, WriteLockoutTime: true, WriteMarker: protocol.DefaultMarkerAttribute, Unexpire: true,
		}
		less(&rights)
		must(l.t, l.dc.Delegate("svc-writeback", rights))
	}
}

// descriptor replaces alice's access control list.
func descriptor(sddl string) func(*lab) {
	return func(l *lab) {
		d, err := security.ParseSDDL(sddl, "") // no name in it is of this domain
		must(l.t, err)
		raw, err := d.Marshal()
		must(l.t, err)
		must(l.t, l.dc.SetAttribute("alice", "nTSecurityDescriptor", string(raw)))
	}
}

func administrator(l *lab) {
	l.write("bind.secret", l.dc.AdminPassword())
	l.writeConfig(strings.Replace(l.yaml(""), "svc-writeback@corp.example", "Administrator@corp.example", 1))
}

// ownPolicy is one of alice's, which only administrators may read.
func ownPolicy(l *lab) {
	must(l.t, l.dc.AddPSO(fakead.PSO{Name: "strict", Precedence: 1, Policy: fakead.Policy{MinLength: 12, MinAge: time.Hour}, AppliesTo: []string{"alice"}}))
}

func readableOwnPolicy(l *lab) {
	without(func(r *fakead.Rights) { r.ReadPolicies = true })(l)
	ownPolicy(l)
}

func TestDoctorFindsAnchorsThatMatchTwice(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	must(t, l.dc.AddUser(fakead.User{SAM: "bob", Password: initial, Attributes: anchor}))
	must(t, l.dc.AddUser(fakead.User{SAM: "robert", Password: initial, Attributes: anchor}))
	code, found := l.doctor()
	if f := found["policy/anchors"]; code != 1 || f.Result != writeback.Failure || !strings.Contains(f.Found, "CN=robert") {
		t.Errorf("exit code %d, %+v", code, f)
	}
}

// TestDoctorKeepsSecretsToItself: whatever is wrong, no line holds a password or a key.
func TestDoctorKeepsSecretsToItself(t *testing.T) {
	l := newLab(t)
	l.enrolled()
	l.write("bind.secret", "Not-The-Password-1")
	withoutStatusRule(l)
	_, out, errs := l.verb("doctor", "--user", "alice")
	key, err := os.ReadFile(filepath.Join(l.path("state"), "agent.key"))
	must(t, err)
	for _, secret := range append(strings.Split(string(key), "\n")[1:], "Not-The-Password-1", "secret-of-") {
		if len(secret) > 8 && !strings.HasPrefix(secret, "-----") && strings.Contains(out+errs, secret) {
			t.Error("doctor shows a secret")
		}
	}
}
