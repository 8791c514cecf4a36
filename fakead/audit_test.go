package fakead_test

import (
	"bufio"
	"encoding/json"
	"maps"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/fakead"
)

// since returns the events that f brings about.
func since(dc *fakead.Server, f func()) []fakead.Event {
	before := len(dc.Events())
	f()
	return dc.Events()[before:]
}

// expectEvents wants these numbers in this order; a negative one is an Audit Failure.
func expectEvents(t *testing.T, what string, events []fakead.Event, want ...int) {
	t.Helper()
	var got []int
	for _, e := range events {
		id := e.ID
		if !e.Success {
			id = -id
		}
		got = append(got, id)
	}
	if len(got) != len(want) {
		t.Errorf("%s: events %v, want %v", what, got, want)
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: events %v, want %v", what, got, want)
			return
		}
	}
}

// Each operation leaves the events that Windows would write, and no others.
func TestTheSecurityLog(t *testing.T) {
	dc := fakead.RunT(t)
	policy := dc.Policy()
	policy.LockoutThreshold = 2
	dc.SetPolicy(policy)
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "nobody"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	plain := connectAs(t, dc, "nobody@corp.example", oldPassword)
	expectEvents(t, "seeding from Go, and good binds", dc.Events())

	const third = "Autumn-2028."
	modify := func(c *ldap.Conn, m *ldap.ModifyRequest) func() { return func() { _ = c.Modify(m) } }
	one := func(attribute, value string) *ldap.ModifyRequest {
		m := ldap.NewModifyRequest(dn, nil)
		m.Replace(attribute, []string{value})
		return m
	}
	expired := func() { // lets the password be changed at once
		if err := dc.SetAttribute("alice", "pwdLastSet", "1"); err != nil {
			t.Fatal(err)
		}
	}
	expectEvents(t, "a reset", since(dc, modify(admin, resetRequest(dn, newPassword))), 4724, 4738)
	expectEvents(t, "a reset that the policy refuses", since(dc, modify(admin, resetRequest(dn, "short"))), -4724)
	expectEvents(t, "a reset without the right", since(dc, modify(plain, resetRequest(dn, newPassword))))
	expired()
	expectEvents(t, "a change", since(dc, modify(plain, changeRequest(dn, newPassword, third))), 4723, 4738)
	expectEvents(t, "a change too soon", since(dc, modify(plain, changeRequest(dn, third, oldPassword))), -4723)
	expectEvents(t, "a wrong old password", since(dc, modify(plain, changeRequest(dn, "no", newPassword))))
	expectEvents(t, "another one, which locks", since(dc, modify(plain, changeRequest(dn, "no", newPassword))), 4740)
	expectEvents(t, "an unlock", since(dc, modify(admin, one("lockoutTime", "0"))), 4767)
	expectEvents(t, "an unlock of what is not locked", since(dc, modify(admin, one("lockoutTime", "0"))))
	expectEvents(t, "a description", since(dc, modify(admin, one("description", "no field of 4738"))))
	expectEvents(t, "disabling", since(dc, modify(admin, one("userAccountControl", "514"))), 4738)
	expectEvents(t, "something refused", since(dc, modify(admin, one("pwdLastSet", "5"))))

	c := connect(t, dc)
	bind := func(name, password string) func() { return func() { _ = c.Bind(name, password) } }
	expectEvents(t, "a disabled account", since(dc, bind("alice@corp.example", third)), -4625)
	expectEvents(t, "an unknown account", since(dc, bind("mallory@corp.example", "no")), -4625)
	expectEvents(t, "a wrong password", since(dc, bind("nobody@corp.example", "no")), -4625)
	expectEvents(t, "another one, which locks", since(dc, bind("nobody@corp.example", "no")), -4625, 4740)
	expectEvents(t, "an anonymous bind", since(dc, func() { _ = c.UnauthenticatedBind("") }))
}

func TestWhatEventsSay(t *testing.T) {
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	dc := fakead.RunT(t, fakead.Options{Clock: stopped{now}})
	seed(t, dc, fakead.User{SAM: "alice"}, fakead.User{SAM: "dora", Disabled: true}, fakead.User{SAM: "max", MustChange: true}, fakead.User{SAM: "luke", Locked: true})
	admin, alice := asAdministrator(t, dc), stateOf(t, dc, "alice")
	sid := sidOf(t, admin, alice.DN)
	logon := ""
	expectData := func(what string, e fakead.Event, want map[string]string) {
		t.Helper()
		for name, value := range want {
			if e.Data[name] != value {
				t.Errorf("%s, %d: %s is %q, want %q", what, e.ID, name, e.Data[name], value)
			}
		}
		if !e.Time.Equal(now) || e.Computer != "dc1.corp.example" {
			t.Errorf("%s: at %s on %s", what, e.Time, e.Computer)
		}
	}

	events := since(dc, func() { _ = admin.Modify(resetRequest(alice.DN, newPassword)) })
	logon = events[0].Data["SubjectLogonId"]
	subject := map[string]string{
		"TargetUserName": "alice", "TargetDomainName": "CORP", "TargetSid": sid,
		"SubjectUserName": "Administrator", "SubjectDomainName": "CORP", "SubjectUserSid": sidOf(t, admin, dc.AdminDN()), "SubjectLogonId": logon,
	}
	if n, err := strconv.ParseUint(logon, 0, 64); err != nil || n == 0x3e7 {
		t.Errorf("the logon is %q", logon)
	}
	expectData("reset", events[0], subject)
	expectData("reset", events[1], subject)
	expectData("reset", events[1], map[string]string{"PasswordLastSet": "11/23/2026 8:00:00 AM", "AccountExpires": "-", "OldUacValue": "-", "PrivilegeList": "-", "Dummy": "-"})

	m := ldap.NewModifyRequest(alice.DN, nil)
	m.Replace("userAccountControl", []string{strconv.Itoa(0x10200 | 0x2)})
	m.Replace("displayName", []string{"Alice Liddell"})
	m.Replace("pwdLastSet", []string{"0"})
	events = since(dc, func() { _ = admin.Modify(m) })
	expectData("several attributes", events[0], map[string]string{
		"OldUacValue": "0x10", "NewUacValue": "0x211", "UserAccountControl": "\n\t\t%%2080\n\t\t%%2089", "DisplayName": "Alice Liddell", "PasswordLastSet": "%%1794",
	})

	c := connect(t, dc)
	for name, want := range map[string][2]string{
		"mallory": {"0xc000006d", "0xc0000064"}, "dora": {"0xc000006e", "0xc0000072"}, "max": {"0xc0000224", "0x0"}, "luke": {"0xc0000234", "0x0"},
	} {
		events = since(dc, func() { _ = c.Bind(name+"@corp.example", oldPassword) })
		expectData(name, events[0], map[string]string{
			"TargetUserName": name + "@corp.example", "TargetUserSid": "S-1-0-0", "Status": want[0], "SubStatus": want[1], "LogonType": "3",
			"SubjectUserName": "DC1$", "SubjectUserSid": "S-1-5-18", "SubjectLogonId": "0x3e7", "IpAddress": "127.0.0.1",
		})
	}
	events = since(dc, func() { _ = c.Bind(strings.Repeat("ä", 1000), "no") })
	if got := len([]rune(events[0].Data["TargetUserName"])); got != 256 {
		t.Errorf("a name of 1000 characters is kept at %d", got)
	}
}

// Options.Audit gets the same events, a line of JSON each, and no password is in them.
func TestTheSecurityLogAsJSON(t *testing.T) {
	var log lockedBuffer
	dc := fakead.RunT(t, fakead.Options{Audit: &log})
	seed(t, dc, fakead.User{SAM: "alice"})
	admin, dn := asAdministrator(t, dc), dnOf(t, dc, "alice")
	_ = admin.Modify(resetRequest(dn, newPassword))
	_ = admin.Modify(resetRequest(dn, "short-Secret"))
	_ = admin.Modify(changeRequest(dn, "Wrong-guess-1", oldPassword))
	_ = connect(t, dc).Bind("alice@corp.example", "Wrong-guess-1")

	events := dc.Events()
	lines := bufio.NewScanner(strings.NewReader(log.String()))
	for i := 0; lines.Scan(); i++ {
		var line struct {
			TimeCreated        time.Time
			EventID            int
			EventRecordID      int64
			Channel, Keywords  string
			Computer, Provider string
			EventData          map[string]string
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		e := events[i]
		if line.EventID != e.ID || line.EventRecordID != int64(i+1) || e.Record != int64(i+1) || !line.TimeCreated.Equal(e.Time) ||
			line.Channel != "Security" || line.Keywords != map[bool]string{true: "Audit Success", false: "Audit Failure"}[e.Success] || !maps.Equal(line.EventData, e.Data) {
			t.Errorf("line %d: %s", i, lines.Text())
		}
	}
	if n := strings.Count(log.String(), "\n"); n != len(events) || n == 0 {
		t.Errorf("%d lines for %d events", n, len(events))
	}
	for _, secret := range []string{oldPassword, newPassword, "short-Secret", "Wrong-guess-1", dc.AdminPassword()} {
		if strings.Contains(log.String(), secret) {
			t.Error("the security log holds a password")
		}
	}
}

func sidOf(t *testing.T, c *ldap.Conn, dn string) string {
	t.Helper()
	raw := read(t, c, dn, "objectSid").GetRawAttributeValue("objectSid")
	text := "S-1-5"
	for i := 8; i < len(raw); i += 4 {
		text += "-" + strconv.FormatUint(uint64(raw[i])|uint64(raw[i+1])<<8|uint64(raw[i+2])<<16|uint64(raw[i+3])<<24, 10)
	}
	return text
}

// A stopped clock shows one instant.
type stopped struct{ at time.Time }

func (c stopped) Now() time.Time { return c.at }

func (c stopped) AfterFunc(d time.Duration, f func()) clock.Timer {
	return clock.Real().AfterFunc(d, f)
}
