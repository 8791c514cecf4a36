package writeback_test

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"passback/fakead"
	"passback/writeback"
)

// TestDoctorIsShownAsItIs holds docs/operations.md to what doctor says of a healthy set-up and of five sick ones.
func TestDoctorIsShownAsItIs(t *testing.T) {
	var b strings.Builder
	for _, tt := range []struct {
		what string
		harm func(*lab)
		code int
	}{
		{"A healthy agent", nil, 0},
		{"The account's password was changed in the directory", func(l *lab) { l.write("bind.secret", "Not-The-Password-1") }, 1},
		{"This host's clock is a minute off", func(l *lab) { l.skew = -time.Minute }, 1},
		{"The server named is a global catalog", func(l *lab) { l.servers("127.0.0.1:3269") }, 1},
		{"Rights were given on another OU, and the person was an administrator once", astray, 1},
		{"A domain with a minimum age, a hidden policy, and two accounts of one anchor", illKept, 1},
	} {
		l := newLab(t)
		l.youngPasswordsMayChange()
		stop := l.start(l.enrolled())
		eventually(t, "a status that says so", func() bool { return l.status().TakesRequests })
		if tt.harm != nil {
			must(t, stop())
			tt.harm(l)
		}
		code, out, _ := l.verb("doctor", "--user", "alice@corp.example")
		if code != tt.code {
			t.Errorf("%s: exit code %d, want %d", tt.what, code, tt.code)
		}
		fmt.Fprintf(&b, "**%s** (exit code %d%s):\n\n```\n%s```\n\n", tt.what, code, map[bool]string{true: "; what is ok or skipped left out"}[tt.harm != nil], l.steady(out, tt.harm != nil))
	}
	writeback.CompareShown(t, "../docs/operations.md", "doctor", b.String())
}

// astray takes rights away as a user's past does.
func astray(l *lab) {
	without(func(r *fakead.Rights) { r.ResetPassword, r.WriteMarker = false, "" })(l)
	must(l.t, l.dc.SetAttribute("alice", "adminCount", "1"))
}

func illKept(l *lab) {
	p := l.dc.Policy()
	p.MinAge = 24 * time.Hour
	l.dc.SetPolicy(p)
	ownPolicy(l)
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {"0123456789abcdef"}}
	for _, sam := range []string{"bob", "robert"} {
		must(l.t, l.dc.AddUser(fakead.User{SAM: sam, Password: initial, Attributes: anchor}))
	}
}

// steady replaces what differs from run to run, and keeps the faults alone if told.
func (l *lab) steady(out string, faultsOnly bool) string {
	for _, r := range []struct{ pattern, by string }{
		{regexp.QuoteMeta(l.dir), "/etc/passback"},
		{regexp.QuoteMeta(strings.TrimPrefix(l.dc.LDAPSURL(), "ldaps://")), "dc1.corp.example:636"},
		{regexp.QuoteMeta(l.enrol.URL), "https://writeback.example"},
		{`127\.0\.0\.1:3269`, "dc1.corp.example:3269"},
		{`(127\.0\.0\.1|localhost):\d+`, "relay.example:443"},
		{`agent-[A-Za-z0-9_-]{43}`, "agent-7mQ"},
		{`\d{4}-\d\d-\d\d(T\S+)?`, "2030-01-02$1"},
		{`T\d\d:\d\d:\d\d\S*`, "T03:04:05Z"},
		{`(stopped) \S+ ago`, "$1 1m0s ago"},
		{`process \d+`, "process 812"},
		{`(\S+) (state folder|enrolment on disk|age of the key|agent on this host):`, "writeback-1 $2:"},
		{`(host) \S+: `, "$1 writeback-1: "},
		{`[+-][0-4]\.\d s`, "+0.0 s"},
		{`[+-](5|6)\d\.\d s`, "+60.0 s"},
		{`\d+s apart`, "0s apart"},
		{`expires in \d+ days`, "expires in 20 days"},
	} {
		out = regexp.MustCompile(r.pattern).ReplaceAllString(out, r.by)
	}
	if !faultsOnly {
		return out
	}
	var kept []string
	fault := false
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, " ") { // the advice belongs to the line above it
			fault = !strings.HasPrefix(line, string(writeback.Fine)) && !strings.HasPrefix(line, string(writeback.Skipped))
		}
		if fault {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, "")
}
