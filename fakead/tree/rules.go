package tree

// Extensible matching: the rules of MS-ADTS 3.1.1.3.4.4. Left out on purpose: DN_WITH_DATA, whose attributes
// are none that the fake keeps.

import "strconv"

// OIDs of the matching rules.
const (
	ruleBitAnd  = "1.2.840.113556.1.4.803"
	ruleBitOr   = "1.2.840.113556.1.4.804"
	ruleInChain = "1.2.840.113556.1.4.1941"
)

func (t *Tree) matchRule(a *Attribute, f *Filter) matcher {
	switch f.Rule {
	case "":
		return t.matchEqual(a, f.Value)
	case ruleBitAnd:
		return matchBits(a, f.Value, func(have, want int64) bool { return have&want == want })
	case ruleBitOr:
		return matchBits(a, f.Value, func(have, want int64) bool { return have&want != 0 })
	case ruleInChain:
		return t.matchChain(a, f.Value)
	default:
		return never
	}
}

func matchBits(a *Attribute, value []byte, match func(have, want int64) bool) matcher {
	stored, err := a.Syntax.parse(value)
	if !a.Syntax.isNumber() || err != nil {
		return never
	}
	want, _ := strconv.ParseInt(string(stored), 10, 64)
	return func(e *Entry) truth {
		for _, v := range e.values(a) {
			if have, err := strconv.ParseInt(string(v), 10, 64); err == nil && match(have, want) {
				return yes
			}
		}
		return no
	}
}

// matchChain follows links any number of times. It walks them backwards from the entry that the filter names,
// once for all entries.
func (t *Tree) matchChain(a *Attribute, value []byte) matcher {
	inverse := a.backLink()
	if a.IsBackLink() {
		inverse = a.forwardLink()
	}
	if a.Link == 0 || inverse == nil {
		return never
	}
	target, err := t.Resolve(string(value))
	switch {
	case NoSuchObject(err):
		return func(*Entry) truth { return no }
	case err != nil:
		return never
	}
	reached := map[*Entry]bool{}
	for next := []*Entry{target}; len(next) > 0; {
		e := next[0]
		next = next[1:]
		for _, other := range e.linked(inverse) {
			if !reached[other] {
				reached[other] = true
				next = append(next, other)
			}
		}
	}
	return func(e *Entry) truth { return truthOf(reached[e]) }
}
