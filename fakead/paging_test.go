package fakead_test

import (
	"fmt"
	"testing"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// manyUsers is a domain with more users than one answer holds.
func manyUsers(t *testing.T, n int) *fakead.Server {
	t.Helper()
	dc := fakead.RunT(t)
	for i := range n {
		if err := dc.AddUser(fakead.User{SAM: fmt.Sprintf("person%04d", i)}); err != nil {
			t.Fatal(err)
		}
	}
	return dc
}

const numbered = "(sAMAccountName=person*)"

func TestAnAnswerHoldsAThousandEntries(t *testing.T) {
	dc := manyUsers(t, 1003)
	c := asAdministrator(t, dc)
	answer, err := c.Search(subtree(base, numbered, "1.1"))
	expect(t, "without paging", err, ldap.LDAPResultSizeLimitExceeded, "")
	if len(answer.Entries) != 1000 {
		t.Errorf("got %d entries, want the first 1000", len(answer.Entries))
	}
	limited := subtree(base, numbered, "1.1")
	limited.SizeLimit = 3
	answer, err = c.Search(limited)
	expect(t, "with a limit", err, ldap.LDAPResultSizeLimitExceeded, "")
	if len(answer.Entries) != 3 {
		t.Errorf("got %d entries, want 3", len(answer.Entries))
	}
	for size, wantPages := range map[uint32]int{400: 3, 5000: 2} {
		seen := map[string]bool{}
		pages := 0
		for cookie := ""; pages == 0 || cookie != ""; pages++ {
			var got []string
			got, cookie = page(t, c, subtree(base, numbered, "1.1"), size, cookie)
			for _, dn := range got {
				seen[dn] = true
			}
		}
		if len(seen) != 1003 || pages != wantPages {
			t.Errorf("pages of %d: %d entries on %d pages, want 1003 on %d", size, len(seen), pages, wantPages)
		}
	}
}

// page asks for one page and returns its names and the next cookie.
func page(t *testing.T, c *ldap.Conn, r *ldap.SearchRequest, size uint32, cookie string) (names []string, next string) {
	t.Helper()
	paging := ldap.NewControlPaging(size)
	paging.SetCookie([]byte(cookie))
	r.Controls = []ldap.Control{paging}
	answer := ask(t, c, r)
	for _, e := range answer.Entries {
		names = append(names, e.DN)
	}
	back, ok := ldap.FindControl(answer.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
	if !ok {
		t.Fatal("the answer has no paging control")
	}
	return names, string(back.Cookie)
}

func TestCookies(t *testing.T) {
	dc := manyUsers(t, 5)
	c := asAdministrator(t, dc)
	r := func() *ldap.SearchRequest { return subtree(base, numbered, "1.1") }
	first, cookie := page(t, c, r(), 2, "")
	second, last := page(t, c, r(), 2, cookie)
	again, _ := page(t, c, r(), 2, cookie)
	if len(second) != 2 || second[0] != again[0] || second[0] == first[0] {
		t.Errorf("pages %q, %q and again %q", first, second, again)
	}
	rest, end := page(t, c, r(), 2, last)
	if len(rest) != 1 || end != "" {
		t.Errorf("the last page has %q and cookie %q", rest, end)
	}

	refused := func(what string, c *ldap.Conn, r *ldap.SearchRequest, cookie string) {
		t.Helper()
		paging := ldap.NewControlPaging(2)
		paging.SetCookie([]byte(cookie))
		r.Controls = []ldap.Control{paging}
		_, err := c.Search(r)
		expect(t, what, err, 12, "00000057: LdapErr: DSID-0C090B01, comment: Error processing control, data 0, v4f7c\x00")
	}
	refused("another connection's cookie", asAdministrator(t, dc), r(), cookie)
	refused("another search's cookie", c, subtree(base, "(cn=*)", "1.1"), cookie)
	refused("other attributes", c, subtree(base, numbered, "cn"), cookie)
	refused("no cookie of this server", c, r(), "0123456789abcdef\x00\x00\x00\x01")
	refused("a cookie beyond the end", c, r(), cookie[:16]+"\x00\x00\xff\xff")
	refused("half a cookie", c, r(), cookie[:5])

	if names, next := page(t, c, r(), 0, cookie); len(names) != 0 || next != "" {
		t.Errorf("giving up brought %q and cookie %q", names, next)
	}
	refused("a cookie that was given up", c, r(), cookie)
}

func TestPagingTakesPartInEverySearch(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	for _, from := range []string{"", base} {
		r := subtree(from, everything)
		r.Scope = ldap.ScopeBaseObject
		paging := ldap.NewControlPaging(10)
		r.Controls = []ldap.Control{paging}
		if answer := ask(t, c, r); len(answer.Entries) != 1 || len(answer.Controls) != 1 {
			t.Errorf("%q: %d entries, %d controls", from, len(answer.Entries), len(answer.Controls))
		}
	}
	r := subtree(base, everything)
	r.Controls = []ldap.Control{ldap.NewControlString(ldap.ControlTypePaging+".1", true, "")}
	_, err := c.Search(r)
	expect(t, "an unknown critical control", err, 12, "00000057: LdapErr: ")
}

// Who is deleted between two pages is not on the second.
func TestPagesShowWhatIsStillThere(t *testing.T) {
	dc := manyUsers(t, 4)
	c := asAdministrator(t, dc)
	_, cookie := page(t, c, subtree(base, numbered, "1.1"), 2, "")
	if err := c.Del(ldap.NewDelRequest(dnOf(t, dc, "person0002"), nil)); err != nil {
		t.Fatal(err)
	}
	if names, _ := page(t, c, subtree(base, numbered, "1.1"), 2, cookie); len(names) != 1 || names[0] != dnOf(t, dc, "person0003") {
		t.Errorf("the second page has %q", names)
	}
}

func TestPagesShowWhatIsFoundStill(t *testing.T) {
	dc := manyUsers(t, 5)
	c := asAdministrator(t, dc)
	_, cookie := page(t, c, subtree(base, numbered, "sAMAccountName"), 2, "")
	all := query(t, c, base, numbered, "sAMAccountName")
	m := ldap.NewModifyRequest(all[3].DN, nil)
	m.Replace("sAMAccountName", []string{"another"})
	if err := c.Modify(m); err != nil {
		t.Fatal(err)
	}
	rest, _ := page(t, c, subtree(base, numbered, "sAMAccountName"), 9, cookie)
	if len(rest) != 2 || rest[0] != all[2].DN || rest[1] != all[4].DN {
		t.Errorf("after one of them was renamed the second page has %q", rest)
	}
}
