package writeback

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"passback/clock"
	"passback/fakead"
	"passback/fakead/security"
	"passback/writeback/protocol"
)

// The diagnosis over the whole matrix of policies: every rule broken alone and with others, for resets and changes,
// under the domain's policy and a settings object, with everything readable and with each input refused. What each
// password breaks is laid down here by hand and the fake directory decides whether to refuse; the agent is then asked
// which rule it was.

const (
	matrixName    = "Ana Larkspur-Quint#Jo" // its parts: Ana, Larkspur, Quint; Jo is too short to count
	matrixLength  = 7
	matrixAge     = time.Hour
	matrixFilter  = "filtered"
	currentOfAll  = "Current-Plum-41"
	previousOfAll = "Previous-Plum-40"
)

// A candidate is a password, and what it breaks by itself.
type candidate struct {
	password   string // %s stands for the account's name
	short      bool   // for matrixLength
	plain      bool   // less than three categories
	account    bool   // contains the account's name
	display    bool   // contains a part of the display name
	remembered int    // its place in the history; 1: the current one
}

var candidates = []candidate{
	{password: "Good-Evening-42"},
	{password: "Ab1-xyz"},               // exactly as long as it must be
	{password: "Ab1-xy", short: true},   // one less
	{password: "Aa1😀😀"},                 // 7 units of UTF-16, 5 characters
	{password: "Aa1😀x", short: true},    // 6 units
	{password: "密码密码abc1"},              // letters without case are a category
	{password: "пароль-Ж"},              // Cyrillic has case; and a sign
	{password: "ΑΒΓΔαβγδ", plain: true}, // Greek too: two categories
	{password: "ԱԲԳԴabcd12", plain: true},
	{password: "€€€€abcd12", plain: true}, // a sign, but none of ASCII's
	{password: "abcd efgh 12", plain: true},
	{password: "onlysmallletters", plain: true},
	{password: "abc", short: true, plain: true},
	{password: "Xy7-%s-77", account: true},
	{password: "Xy7-LARKSPUR-77", display: true},
	{password: "Xy7-quint-anA", display: true},
	{password: "Xy7-jo-77-plum"}, // a part of two letters does not count
	{password: "larkspurlarkspur", plain: true, display: true},
	{password: currentOfAll, remembered: 1},
	{password: previousOfAll, remembered: 2},
	{password: "Filtered-Plum-42"},
	{password: "filteredfiltered", plain: true},
	{password: "Filtered-%s-1", account: true},
	{password: "Fil1-filtered-Quint", display: true},
}

// A refusal is what the agent's account may not read.
type refusedRead struct {
	what   string
	user   string          // ACEs denied on the user
	head   string          // and on the domain's head
	blind  bool            // no settings object may be read
	spared []protocol.Rule // that need nothing of it
}

// A cell is one question.
type cell struct {
	change     bool
	settings   bool // the policy is a settings object's
	complexity bool
	history    int
	age        time.Duration // the policy's minimum
	young      bool
	unnamed    bool // the account has no display name
	candidate
}

const (
	nothing = "nothing"
	denied  = "(OD;;RP;%s;;AU)"
)

// certainRules can be known for certain.
var (
	certainRules = []protocol.Rule{protocol.RuleMinimumAge, protocol.RuleLength, protocol.RuleComplexity, protocol.RuleContainsName}
	withoutAge   = []protocol.Rule{protocol.RuleLength, protocol.RuleComplexity, protocol.RuleContainsName}
	withoutNames = []protocol.Rule{protocol.RuleMinimumAge, protocol.RuleLength, protocol.RuleComplexity}
)

// Schema GUIDs (MS-ADA1 to 3).
var refusedReads = []refusedRead{
	{what: nothing, spared: certainRules},
	{what: "the settings object, or the domain's policy", blind: true,
		head: "bf9679bb-0de6-11d0-a285-00aa003049e2 bf9679c2-0de6-11d0-a285-00aa003049e2 bf967a0b-0de6-11d0-a285-00aa003049e2 bf967a09-0de6-11d0-a285-00aa003049e2 bf9679c3-0de6-11d0-a285-00aa003049e2"},
	{what: "pwdLastSet", user: "bf967a0a-0de6-11d0-a285-00aa003049e2", spared: withoutAge},
	{what: "sAMAccountName", user: "3e0abfd0-126a-11d0-a060-00aa006c33ed", spared: withoutNames},
	{what: "displayName", user: "bf967953-0de6-11d0-a285-00aa003049e2", spared: withoutNames},
	{what: "msDS-ResultantPSO", user: "b77ea093-88d0-4780-9a98-911f8e8b1dca"},
	{what: "minPwdAge of the domain", head: "bf9679c2-0de6-11d0-a285-00aa003049e2", spared: withoutAge},
	{what: "permissions", user: "permissions"},
}

// broken are the rules that the cell breaks.
func (c cell) broken() (rules []protocol.Rule) {
	add := func(rule protocol.Rule, broken bool) {
		if broken {
			rules = append(rules, rule)
		}
	}
	add(protocol.RuleMinimumAge, c.age > 0 && c.young)
	add(protocol.RuleLength, c.short)
	add(protocol.RuleComplexity, c.complexity && c.plain)
	add(protocol.RuleContainsName, c.complexity && (c.account || c.display && !c.unnamed))
	add(protocol.RuleHistory, c.remembered > 0 && c.remembered <= c.history)
	add(protocol.RuleFilter, strings.Contains(strings.ToLower(c.password), matrixFilter))
	return rules
}

// cells are the questions of one table. Every password is asked for as a reset under the domain's policy with everything
// readable; elsewhere one for each set of rules that it breaks. A history of one shows nothing new where something may
// not be read, and what breaks nothing is not asked there.
func cells(read refusedRead) (all []cell) {
	asked := map[string]bool{}
	add := func(c cell) {
		kind := c
		kind.candidate = candidate{}
		key := fmt.Sprint(kind, c.broken(), c.account)
		every := read.what == nothing && !c.change && !c.settings
		telling := read.what == nothing || len(c.broken()) > 0 && c.history != 1
		if every || telling && !asked[key] {
			asked[key] = true
			all = append(all, c)
		}
	}
	both := []bool{false, true}
	for _, change := range both {
		for _, settings := range both {
			for _, complexity := range both {
				for _, history := range []int{0, 1, 5} {
					for _, age := range ages {
						for _, candidate := range candidates {
							c := cell{change, settings, complexity, history, age.minimum, age.young, false, candidate}
							add(c)
							if c.unnamed = true; c.display {
								add(c)
							}
						}
					}
				}
			}
		}
	}
	return all
}

// ages are those of the password, beside the policy's minimum.
var ages = []struct {
	minimum time.Duration
	young   bool
}{{0, true}, {matrixAge, true}, {matrixAge, false}}

// A matrix is the directory and the agent that the cells are tried on.
type matrix struct {
	*bench
	agent *agent
	read  refusedRead
	tally *tally
	users map[string]string // accounts by what they are like
}

func (m *matrix) policy(c cell) {
	m.dc.SetPolicy(fakead.Policy{MinLength: matrixLength, Complexity: c.complexity, History: c.history, MinAge: c.age})
	if c.settings { // and the domain's is another, which would refuse everything
		m.dc.SetPolicy(fakead.Policy{MinLength: 14, Complexity: !c.complexity, History: 24, MinAge: 24 * time.Hour})
	}
}

// account is one of this cell's kind.
func (m *matrix) account(c cell) string {
	kind := fmt.Sprint(c.settings, c.young, c.unnamed, c.complexity, c.history, c.age)
	if sam, there := m.users[kind]; there {
		return sam
	}
	sam := fmt.Sprintf("person%04d", len(m.users))
	u := fakead.User{SAM: sam, Name: sam, DisplayName: matrixName, Password: currentOfAll, OldPasswords: []string{previousOfAll}}
	if c.unnamed {
		u.DisplayName = ""
	}
	if c.young {
		u.PasswordSet = clock.Real().Now()
	}
	m.addUser(u)
	if c.settings {
		m.must(m.dc.AddPSO(fakead.PSO{Name: "of-" + sam, Precedence: 1, AppliesTo: []string{sam},
			Policy: fakead.Policy{MinLength: matrixLength, Complexity: c.complexity, History: c.history, MinAge: c.age}}))
	}
	m.protect(sam, m.read.user)
	m.users[kind] = sam
	return sam
}

// protect grants everything on an object, less the reads that are refused.
func (m *matrix) protect(name, guids string) {
	m.Helper()
	sddl, rights := "D:PAI", "GA"
	if guids == "permissions" {
		guids, rights = "", "RPWPCRLC"
	}
	for _, guid := range strings.Fields(guids) {
		sddl += fmt.Sprintf(denied, guid)
	}
	d, err := security.ParseSDDL(sddl+"(A;;"+rights+";;;AU)(A;;GA;;;BA)", "")
	m.must(err)
	raw, err := d.Marshal()
	m.must(err)
	m.must(m.dc.SetAttribute(name, "nTSecurityDescriptor", string(raw)))
}

// ask has the directory judge a cell and, where it refuses, the agent say why. A password that is taken uses its
// account up.
func (m *matrix) ask(c cell) {
	m.Helper()
	sam := m.account(c)
	if strings.Contains(c.password, "%s") {
		c.password = fmt.Sprintf(c.password, sam)
	}
	op := protocol.Reset
	if c.change {
		op = protocol.Change
	}
	job := m.request(sam, op)
	job.secrets.New = protocol.NewSecret(c.password)
	if c.change {
		job.secrets.Old = protocol.NewSecret(currentOfAll)
	}
	d := m.agent.apply(m.Context(), job)
	m.must(m.dc.SetAttribute(sam, protocol.DefaultMarkerAttribute)) // thousands of refusals are not an account's life
	rules := c.broken()
	switch {
	case len(rules) == 0 && d.outcome == protocol.Success:
		delete(m.users, fmt.Sprint(c.settings, c.young, c.unnamed, c.complexity, c.history, c.age))
		m.users["used "+sam] = sam
	case len(rules) == 0 || d.outcome != protocol.PolicyViolation:
		m.Errorf("%+v: %s (%s), although it breaks %v", c, d.outcome, d.detail, rules)
	default:
		m.tally.count(m, c, rules, *d.violation)
	}
}

func TestDiagnosisOverTheMatrixOfPolicies(t *testing.T) {
	if raceDetector {
		t.Skip("seconds without the race detector, minutes with it: `make diagnosis` runs it, and so does CI")
	}
	t.Parallel()
	tally := &tally{rows: map[row]*counts{}}
	for _, read := range refusedReads {
		filter := func(r fakead.FilterRequest) bool { return !strings.Contains(strings.ToLower(r.Password), matrixFilter) }
		m := &matrix{bench: newBench(t, fakead.Options{Filters: []fakead.PasswordFilter{filter}}), read: read, tally: tally, users: map[string]string{}}
		rights := serviceRights
		rights.ReadPolicies = !read.blind
		m.must(m.dc.Delegate(service, rights))
		if read.head != "" {
			m.protect(m.dc.BaseDN(), read.head)
		}
		m.agent = m.bench.agent()
		for _, c := range cells(read) {
			m.policy(c)
			m.ask(c)
		}
	}
	page := tally.page()
	t.Log("\n" + page)
	CompareShown(t, "../docs/diagnosis.md", "table", page)
}

// A row of the table: what was broken, and what could not be read.
type row struct{ rule, refused string }

type counts struct{ certain, likely, other, unknown, wrong int }

type tally struct{ rows map[row]*counts }

const several = "several at once"

// count holds one judgement to what must be true of each, and counts it.
func (t *tally) count(m *matrix, c cell, rules []protocol.Rule, v protocol.Violation) {
	m.Helper()
	name := string(rules[0])
	if len(rules) > 1 {
		name = several
	}
	r := row{name, m.read.what}
	if t.rows[r] == nil {
		t.rows[r] = &counts{}
	}
	n, right := t.rows[r], slices.Contains(rules, v.Rule)
	knowable := slices.ContainsFunc(rules, func(rule protocol.Rule) bool { return slices.Contains(m.read.spared, rule) })
	allRead := m.read.what == nothing
	switch {
	case v.Certainty == protocol.Certain && right:
		n.certain++
	case v.Certainty == protocol.Certain:
		n.wrong++
		m.Errorf("%s refused: %+v breaks %v and is called %s, certain", m.read.what, c, rules, v.Rule)
	case v.Certainty == protocol.Uncertain:
		n.unknown++
		if allRead {
			m.Errorf("%+v breaks %v and is called unknown, though all could be read", c, rules)
		}
	case right:
		n.likely++
	default:
		n.other++
	}
	if knowable && v.Certainty != protocol.Certain {
		m.Errorf("%s refused: %+v breaks %v and is called %s, %s", m.read.what, c, rules, v.Rule, v.Certainty)
	}
	if allRead && !right && (v.Rule != protocol.RuleHistory || c.history == 0) {
		m.Errorf("%+v breaks %v and is called %s, although history is excluded", c, rules, v.Rule)
	}
}

// page is the table, in the order of the rules and of what is refused.
func (t *tally) page() string {
	var b strings.Builder
	b.WriteString("| what could not be read | rule broken | refusals | right, certain | right, likely | another, likely | unknown | wrong, certain |\n|---|---|---|---|---|---|---|---|\n")
	rules := []string{"length", "complexity", "containsName", "minimumAge", "history", "filter", several}
	for _, read := range refusedReads {
		for _, rule := range rules {
			n := t.rows[row{rule, read.what}]
			if n == nil {
				continue
			}
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %d | %d | %d | %d |\n", read.what, rule, n.certain+n.likely+n.other+n.unknown+n.wrong, n.certain, n.likely, n.other, n.unknown, n.wrong)
		}
	}
	return b.String()
}
