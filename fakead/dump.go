package fakead

// A dump of the domain for people: what a failing test wants to print.

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// recentInDump is how many password writes and events a dump ends with.
const recentInDump = 20

// Dump writes what a domain holds beside what every new one does: the policies, the users and groups with their
// state, and the last password writes and events. It is for people and may change; it holds no secrets.
func (s *Server) Dump(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := bufio.NewWriter(w)
	now := s.clock.Now()
	line(out, "domain %s (%s), Windows Server %s, %s, USN %d", s.domain, s.netbios, s.os, now.UTC().Format(time.RFC3339), s.tree.USN())
	line(out, "policy: %+v", s.policy())
	for e := range s.domainEntries() {
		switch {
		case e.IsA("msDS-PasswordSettings"):
			settings := settingsOf(e)
			line(out, "policy %s, precedence %d: %+v, for %s", e.DN(), settings.Precedence, settings.Policy, dnList(e.Linked("msDS-PSOAppliesTo")))
		case e.IsA("user"):
			s.dumpUser(out, e, now)
		case e.IsA("group") && isAdded(e):
			line(out, "group %s: %s", e.DN(), dnList(e.Linked("member")))
		}
	}
	writes := s.writes.all()
	for _, write := range writes[max(0, len(writes)-recentInDump):] {
		line(out, "write %s", write)
	}
	events := s.events.all()
	for _, e := range events[max(0, len(events)-recentInDump):] {
		line(out, "event %s %d %s, by %s", e.Time.UTC().Format(time.RFC3339), e.ID, e.Data["TargetUserName"], e.Data["SubjectUserName"])
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("dump the domain: %w", err)
	}
	return nil
}

func line(out *bufio.Writer, format string, values ...any) {
	_, _ = fmt.Fprintf(out, format+"\n", values...)
}

func (s *Server) dumpUser(out *bufio.Writer, e *tree.Entry, now time.Time) {
	account, policy := loadAccount(e), s.policyFor(e)
	var state []string
	for _, is := range []struct {
		what string
		so   bool
	}{
		{"disabled", account.Control&password.AccountDisabled != 0}, {"locked", account.Locked(policy, now)},
		{"must change", account.MustChange()}, {"expired", account.Expired(policy, now)}, {"never expires", account.Control&password.DontExpire != 0},
		{"no password", len(account.Passwords) == 0}, {"protected", e.First("adminCount") == "1"},
	} {
		if is.so {
			state = append(state, is.what)
		}
	}
	line(out, "user %s (%s): [%s], set %s, %d wrong", e.DN(), account.Name, strings.Join(state, ", "), account.LastSet.Format(time.RFC3339), account.BadCount)
	if settings := s.resultantSettings(e); settings != nil {
		line(out, "  policy: %s", settings.Name)
	}
	if groups := e.Linked("memberOf"); len(groups) > 0 {
		line(out, "  in: %s", dnList(groups))
	}
	if !isAdded(e) {
		return
	}
	for _, v := range exported(e) {
		if !saidInDump[v.Name] {
			line(out, "  %s: %s", v.Name, printable(v.Values))
		}
	}
}

// saidInDump are attributes that are left out, since every account has them or the dump has said it.
var saidInDump = map[string]bool{
	"cn": true, "sAMAccountName": true, "codePage": true, "countryCode": true, "lastLogoff": true, "lastLogon": true, "logonCount": true,
	"badPwdCount": true, "badPasswordTime": true, "pwdLastSet": true, "whenCreated": true, "objectGUID": true, "objectSid": true, "adminCount": true,
}

// isAdded tells whether an account came after the domain was new.
func isAdded(e *tree.Entry) bool {
	_, rid := e.SID().RID()
	return rid >= tree.FirstRID
}

func dnList(entries []*tree.Entry) string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i] = e.DN().String()
	}
	return "[" + strings.Join(names, "; ") + "]"
}

// printable quotes text that has line ends and the like, and writes what is no text in hexadecimal.
func printable(values [][]byte) string {
	texts := make([]string, len(values))
	for i, v := range values {
		switch text := string(v); {
		case !utf8.Valid(v):
			texts[i] = fmt.Sprintf("%x", v)
		case strings.ContainsFunc(text, unicode.IsControl):
			texts[i] = strconv.Quote(text)
		default:
			texts[i] = text
		}
	}
	return strings.Join(texts, " | ")
}
