package oracle

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const shownEntries = 12 // more are only counted

// read NAME|DN ATTRIBUTE... is a search for one entry.
func requestRead(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	words := []token{{text: "base"}, st.args[0], {text: "(objectClass=*)"}}
	st.args = append(words, st.args[1:]...)
	return requestSearch(r, st)
}

// search base|one|sub NAME|DN FILTER [ATTRIBUTE]..., with clauses: control ..., page N, refs, limit N, types, ordered.
func requestSearch(r *run, st statement) (answer, error) {
	if err := need(st, 3); err != nil {
		return answer{}, err
	}
	scope := slices.Index([]string{"base", "one", "sub"}, st.args[0].text)
	if scope < 0 {
		return answer{}, fmt.Errorf("no such scope: %s", st.args[0].text)
	}
	base, err := r.target(st.args[1])
	if err != nil {
		return answer{}, err
	}
	filter, err := r.name(st.args[2])
	if err != nil {
		return answer{}, err
	}
	var attributes []string
	for _, t := range st.args[3:] {
		attributes = append(attributes, t.text)
	}
	s := ldap.NewSearchRequest(base, scope, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	page, refs, ordered := uint32(0), false, false
	for _, c := range st.clauses {
		switch number := 0; c[0].text {
		case "refs":
			refs = true
		case "ordered":
			ordered = true
		case "types":
			s.TypesOnly = true
		case "page", "limit":
			if number, err = strconv.Atoi(c[1].text); err != nil {
				return answer{}, err
			}
			if c[0].text == "limit" {
				s.SizeLimit = number
			} else {
				page = uint32(number)
			}
		default:
			more, err := newControls([][]token{c})
			if err != nil {
				return answer{}, err
			}
			s.Controls = append(s.Controls, more...)
		}
	}
	if page > 0 {
		return r.searchPages(s, page)
	}
	found, err := r.conn.Search(s)
	a, failed := answerOf(err)
	if found != nil && (a.code == "0" || a.code == "4") {
		a.rest = r.describe(found.Entries)
		if ordered {
			a.rest = strings.Join(firstNames(found.Entries), " ")
		}
		if refs {
			a.rest += fmt.Sprintf(" refers=%t", len(found.Referrals) > 0)
		}
	}
	return a, failed
}

// firstNames are the names of entries in the order of the answer.
func firstNames(entries []*ldap.Entry) []string {
	names := make([]string, len(entries))
	for i, e := range entries {
		names[i], _, _ = strings.Cut(e.DN, ",")
	}
	return names
}

// searchPages fetches one page after the other.
func (r *run) searchPages(s *ldap.SearchRequest, size uint32) (answer, error) {
	paging := ldap.NewControlPaging(size)
	s.Controls = append(s.Controls, paging)
	var pages []string
	var entries []*ldap.Entry
	for {
		found, err := r.conn.Search(s)
		a, failed := answerOf(err)
		if a.code != "0" || failed != nil {
			return a, failed
		}
		if len(found.Entries) > 0 || len(pages) == 0 { // a last page may be empty, RFC 2696
			pages = append(pages, strconv.Itoa(len(found.Entries)))
		}
		entries = append(entries, found.Entries...)
		got, _ := ldap.FindControl(found.Controls, ldap.ControlTypePaging).(*ldap.ControlPaging)
		if got == nil || len(got.Cookie) == 0 {
			break
		}
		paging.SetCookie(got.Cookie)
	}
	return answer{code: "0", rest: "pages " + strings.Join(pages, "+") + "; " + r.describe(entries)}, nil
}

// describe writes entries in the order of their names, without what no two servers have in common.
func (r *run) describe(entries []*ldap.Entry) string {
	if len(entries) > shownEntries {
		return fmt.Sprintf("entries=%d", len(entries))
	}
	lines := make([]string, len(entries))
	for i, e := range entries {
		lines[i] = r.neutral(e.DN)
		attributes := slices.SortedFunc(slices.Values(e.Attributes), func(a, b *ldap.EntryAttribute) int {
			return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name))
		})
		for _, a := range attributes {
			lines[i] += " " + a.Name + "=" + r.describeValues(a)
		}
	}
	slices.Sort(lines)
	return "[" + strings.Join(lines, "; ") + "]"
}

// Attributes whose values are the server's own choice: their number and length are compared.
var ownValues = map[string]bool{
	"objectguid": true, "objectsid": true, "parentguid": true, "whencreated": true, "whenchanged": true, "currenttime": true, "createtimestamp": true, "modifytimestamp": true, "tokengroups": true,
}

// Attributes that hold times: 0, never, or a time.
var times = map[string]bool{
	"pwdlastset": true, "lockouttime": true, "badpasswordtime": true, "lastlogon": true, "lastlogontimestamp": true, "accountexpires": true,
	"msds-userpasswordexpirytimecomputed": true,
}

func (r *run) describeValues(a *ldap.EntryAttribute) string {
	name := strings.ToLower(a.Name)
	values := make([]string, len(a.ByteValues))
	for i, v := range a.ByteValues {
		switch {
		case strings.Contains(name, "usn"), strings.Contains(name, ";range="): // whose size and order nobody promises
			values[i] = "<any>"
		case ownValues[name]:
			values[i] = fmt.Sprintf("<%d>", len(v))
		case times[name]:
			values[i] = describeTime(string(v))
		case name == "primarygroupid" && len(v) > 3:
			values[i] = "<rid>"
		case strings.EqualFold(name, "sAMAccountName") && strings.HasPrefix(string(v), "$"):
			values[i] = "<generated>"
		default:
			values[i] = r.neutral(string(v))
		}
	}
	slices.Sort(values)
	return strings.Join(values, "|")
}

func describeTime(v string) string {
	switch v {
	case "0", "9223372036854775807", "-9223372036854775808":
		return v
	default:
		return "<time>"
	}
}

// mangled is what a tombstone's name ends with.
var mangled = regexp.MustCompile(`DEL:[0-9a-f-]{36}`)

// neutral takes the names of servers and of this run out of a text.
func (r *run) neutral(text string) string {
	text = replaceFold(text, r.ou, "{ou}")
	text = replaceFold(text, r.server.base, "{base}")
	text = replaceFold(text, r.server.domain, "{domain}")
	return mangled.ReplaceAllString(text, "DEL:{guid}")
}

func replaceFold(text, old, with string) string {
	for {
		i := strings.Index(strings.ToLower(text), strings.ToLower(old))
		if i < 0 {
			return text
		}
		text = text[:i] + with + text[i+len(old):]
	}
}
