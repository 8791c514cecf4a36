package tree

// The schema tables' own format: a line an attribute; a line a class, and indented ones for its lists.

import (
	"cmp"
	_ "embed" // the tables
	"fmt"
	"slices"
	"strconv"
	"strings"
)

var (
	//go:embed schema/attributes-accounts.txt
	accountAttributes string
	//go:embed schema/attributes-system.txt
	systemAttributes string
	//go:embed schema/classes.txt
	classTable string
	//go:embed schema/propertysets.txt
	propertySetTable string
	//go:embed schema/partialset.txt
	partialSetTable string
)

// parseSchema panics on a malformed table: it is part of this program, and a test reads it.
func parseSchema() *schema {
	s := &schema{attributes: map[string]*Attribute{}, classes: map[string]*Class{}, sets: map[string]GUID{}}
	for line := range strings.Lines(accountAttributes + systemAttributes) {
		if fields := strings.Fields(line); len(fields) > 0 && fields[0] != "#" {
			s.addAttribute(parseAttribute(fields))
		}
	}
	var c *Class
	for line := range strings.Lines(classTable) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
		case fields[0] == "class":
			c = parseClass(fields[1:])
			s.classes[c.Name], s.classes[strings.ToLower(c.Name)], s.classes[c.OID] = c, c, c
			s.classOrder = append(s.classOrder, c)
		default:
			c.extend(fields[0], fields[1:])
		}
	}
	s.addPropertySets()
	s.markPartialSet()
	slices.SortFunc(s.inOrder, func(a, b *Attribute) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	for i, a := range s.inOrder {
		a.rank = i
	}
	s.numberPrefixes()
	return s
}

// addPropertySets reads a line with the name and the GUID of a set, and indented ones with its attributes.
func (s *schema) addPropertySets() {
	var set GUID
	for line := range strings.Lines(propertySetTable) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || fields[0] == "#":
		case fields[0] == "set":
			set = tableGUID(fields[2])
			s.sets[fields[1]] = set
		default:
			for _, name := range fields {
				s.attributes[strings.ToLower(name)].Set = set
			}
		}
	}
}

// markPartialSet reads lines of names.
func (s *schema) markPartialSet() {
	forward := map[int]bool{} // links of the partial set, by linkID
	for line := range strings.Lines(partialSetTable) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, name := range strings.Fields(line) {
			a := s.attributes[strings.ToLower(name)]
			a.PartialSet, a.InCatalog = true, true
			if a.IsLink() {
				forward[a.Link] = true
			}
		}
	}
	for _, a := range s.inOrder {
		if a.IsBackLink() && forward[a.Link-1] || a.Constructed {
			a.InCatalog = true
		}
	}
}

func (s *schema) addAttribute(a *Attribute) {
	s.attributes[a.Name], s.attributes[strings.ToLower(a.Name)], s.attributes[a.OID] = a, a, a
	s.inOrder = append(s.inOrder, a)
}

// parseAttribute reads: name, cn, OID, syntax, flags, linkID, range, GUID.
func parseAttribute(f []string) *Attribute {
	a := &Attribute{Name: f[0], CN: f[1], OID: f[2], Syntax: syntaxNamed(f[3]), Lower: RangeUnset, Upper: RangeUnset, GUID: tableGUID(f[7])}
	for flag, field := range map[string]*bool{"s": &a.Single, "y": &a.SystemOnly, "c": &a.Constructed, "n": &a.NotReplicated, "a": &a.ANR, "x": &a.Confidential} {
		*field = strings.Contains(f[4], flag)
	}
	if f[5] != "-" {
		a.Link = tableNumber(f[5])
	}
	if lower, upper, ok := strings.Cut(f[6], ".."); ok {
		if lower != "" {
			a.Lower = tableNumber(lower)
		}
		if upper != "" {
			a.Upper = tableNumber(upper)
		}
	}
	return a
}

// parseClass reads: name, cn, OID, kind, superior, RDN attribute, category, GUID, and a word if it is hidden.
func parseClass(f []string) *Class {
	return &Class{Name: f[0], CN: f[1], OID: f[2], Kind: f[3], Superior: f[4], RDN: f[5], Category: f[6], GUID: tableGUID(f[7]), Hidden: len(f) > 8}
}

func (c *Class) extend(list string, names []string) {
	lists := map[string]*[]string{"aux": &c.Auxiliary, "under": &c.Containers, "must": &c.Must, "may": &c.May}
	*lists[list] = append(*lists[list], names...)
}

func tableNumber(s string) int {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("schema table: %v", err))
	}
	return int(n)
}

func tableGUID(s string) GUID {
	g, err := ParseGUID(s)
	if err != nil {
		panic(fmt.Sprintf("schema table: %q: %v", s, err))
	}
	return g
}
