package tree

// Which attributes the classes of an entry demand and allow (MS-ADTS 3.1.1.2.4).

import (
	"slices"
	"sync"
)

// contents are the attributes of a class, with those of its superiors and auxiliary classes.
type contents struct {
	must, all map[*Attribute]bool
}

var contentsOf = sync.OnceValue(func() map[*Class]contents {
	result := map[*Class]contents{}
	for _, c := range Classes() {
		result[c] = contents{must: map[*Attribute]bool{}, all: map[*Attribute]bool{}}
		result[c].gather(c)
	}
	return result
})

func (s contents) gather(c *Class) {
	for _, part := range c.Chain() {
		for _, name := range part.Must {
			s.must[mustAttribute(name)], s.all[mustAttribute(name)] = true, true
		}
		for _, name := range part.May {
			s.all[mustAttribute(name)] = true
		}
		for _, name := range part.Auxiliary {
			s.gather(LookupClass(name))
		}
	}
}

// contributing are the classes among the values of objectClass that add to an entry's contents: the structural
// one, which is the last, and the auxiliary ones.
func contributing(values [][]byte) []*Class {
	var list []*Class
	for i, name := range values {
		if c := LookupClass(string(name)); c.Kind == "auxiliary" || i == len(values)-1 {
			list = append(list, c)
		}
	}
	return list
}

// allows tells whether an attribute may be there.
func (p *Plan) allows(a *Attribute) bool { return allowedBy(contributing(p.Get("objectClass")), a) }

func allowedBy(classes []*Class, a *Attribute) bool {
	return slices.ContainsFunc(classes, func(c *Class) bool { return contentsOf()[c].all[a] })
}

// requires tells whether an attribute must be there.
func (p *Plan) requires(a *Attribute) bool {
	return slices.ContainsFunc(contributing(p.Get("objectClass")), func(c *Class) bool { return contentsOf()[c].must[a] })
}

// missing returns the first attribute that must be there and that the plan leaves without values, or nil. The
// security descriptor is not the tree's.
func (p *Plan) missing() *Attribute {
	var first *Attribute
	for _, c := range contributing(p.Get("objectClass")) {
		for a := range contentsOf()[c].must {
			lacks := a.Syntax != SyntaxDescriptor && a.Name != "objectClass" && p.count(a) == 0
			if lacks && (first == nil || a.rank < first.rank) {
				first = a
			}
		}
	}
	return first
}

// AllowedAttributes are the names of all attributes that the entry's classes allow.
func (e *Entry) AllowedAttributes() []string {
	var names []string
	classes := contributing(e.Get("objectClass"))
	for _, a := range Attributes() {
		if allowedBy(classes, a) {
			names = append(names, a.Name)
		}
	}
	return names
}

// count is how many values an attribute will have.
func (p *Plan) count(a *Attribute) int {
	now := p.current(a)
	return len(now.values) + len(now.links)
}

func (a *Attribute) inRange(value []byte) bool {
	n := len(value)
	switch {
	case a.Lower == RangeUnset && a.Upper == RangeUnset, !a.Syntax.isText() && !a.Syntax.isNumber():
		return true
	case a.Syntax.isNumber():
		number, err := parseInteger(string(value), 64)
		if err != nil {
			return false
		}
		n = int(number)
	case a.Syntax == SyntaxString:
		n = utf16Length(string(value))
	}
	return (a.Lower == RangeUnset || n >= a.Lower) && (a.Upper == RangeUnset || n <= a.Upper)
}

func utf16Length(s string) int {
	n := 0
	for _, r := range s {
		n++
		if r > 0xFFFF {
			n++
		}
	}
	return n
}
