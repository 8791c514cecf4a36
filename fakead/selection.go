package fakead

// Which attributes a search returns, and how: names, *, 1.1, options ;range= and ;binary (MS-ADTS 3.1.1.3.1.3).

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"passback/fakead/tree"
)

const maxValRange = 1500 // MaxValRange: values of an attribute in one answer

// A selected attribute is one that a client asks for by name.
type selected struct {
	attribute *tree.Attribute
	binary    bool // asked for with ;binary, and so returned
	ranged    bool // asked for with ;range=
	low       int
	high      int    // the last; -1 for *
	gone      bool   // told without values: it has none any longer
	alone     string // of a link: the option by which these values are told, not all
	values    [][]byte
}

// A selection is what a client asks for.
type selection struct {
	all   bool
	named []selected
}

// selectAttributes reads the list. Names that the schema does not know are dropped; + adds nothing.
func (c *connection) selectAttributes(names []string) selection {
	s := selection{all: len(names) == 0}
	seen := map[*tree.Attribute]bool{}
	for _, name := range names {
		if name == "*" {
			s.all = true
			continue
		}
		if one, ok := c.selectAttribute(name); ok && !seen[one.attribute] {
			seen[one.attribute] = true
			s.named = append(s.named, one)
		}
	}
	return s
}

func (c *connection) selectAttribute(description string) (selected, bool) {
	parts := strings.Split(description, ";")
	one := selected{attribute: tree.LookupAttribute(parts[0]), high: -1}
	if one.attribute == nil || c.hides(one.attribute) {
		return one, false
	}
	for _, option := range parts[1:] {
		bounds, ok := strings.CutPrefix(strings.ToLower(option), "range=")
		switch {
		case ok && one.parseRange(bounds):
			one.ranged = true
		case strings.EqualFold(option, "binary"):
			one.binary = true
		default:
			return one, false
		}
	}
	return one, true
}

func (o *selected) parseRange(bounds string) bool {
	low, high, ok := strings.Cut(bounds, "-")
	var err error
	if o.low, err = strconv.Atoi(low); !ok || err != nil || o.low < 0 {
		return false
	}
	if high == "*" {
		return true
	}
	o.high, err = strconv.Atoi(high)
	return err == nil && o.high >= o.low
}

// names tells whether an attribute is asked for by name.
func (s selection) names(attribute string) bool {
	return slices.ContainsFunc(s.named, func(one selected) bool { return one.attribute.Name == attribute })
}

// render writes the search entry of e into the answer.
func (s *Server) render(req *request, m *searchRequest, e *tree.Entry, want selection) {
	out := req.answer.beginEntry(req.id, req.names.name(e))
	defer out.end()
	access := s.accessTo(req.session, e)
	all := access.readsAll()
	add := func(one selected, values [][]byte) {
		if name, values, ok := one.cut(values); ok {
			if m.typesOnly {
				values = nil
			}
			out.attribute(name, s.names(req.names, one.attribute, values))
		}
	}
	if want.all {
		for a, values := range e.All() {
			if !req.conn.hides(a) && a.Name != descriptorAttribute && (all || access.reads(a)) {
				add(selected{attribute: a, high: -1}, values)
			}
		}
		if _, asked := req.control(oidSDFlags); asked && !want.names(descriptorAttribute) {
			add(selected{attribute: tree.LookupAttribute(descriptorAttribute), high: -1}, access.readDescriptor(req.sdFlags()))
		}
	}
	for _, one := range want.named {
		switch {
		case one.attribute.Name == descriptorAttribute:
			add(one, access.readDescriptor(req.sdFlags()))
		case !all && !access.reads(one.attribute):
		case one.alone != "":
			add(one, one.values)
		case one.attribute.Constructed:
			add(one, s.constructed(req, m, e, one))
		case one.attribute.Name == propertyMetadata:
			add(one, reading{s, req, m.scope, e, one}.propertyMetadata())
		case !want.all || one.ranged || one.binary:
			add(one, e.Get(one.attribute.Name))
		}
	}
}

// cut takes the range of values that is asked for, and no more than maxValRange, and says what the attribute is
// called then; false if there are none.
func (o selected) cut(values [][]byte) (name string, part [][]byte, ok bool) {
	if o.gone && len(values) == 0 || o.alone != "" {
		return o.attribute.Name + o.alone, values, true
	}
	if len(values) == 0 || o.low >= len(values) && !o.ranged {
		return "", nil, false
	}
	if o.low >= len(values) {
		return fmt.Sprintf("%s;range=%d-*", o.attribute.Name, o.low), nil, true
	}
	high, last := min(len(values)-1, o.low+maxValRange-1), ""
	if o.high >= 0 {
		high = min(high, o.high)
	}
	name = o.attribute.Name
	if o.binary {
		name += ";binary"
	}
	if o.ranged || len(values) > maxValRange {
		if last = "*"; high < len(values)-1 {
			last = strconv.Itoa(high)
		}
		name += fmt.Sprintf(";range=%d-%s", o.low, last)
	}
	return name, values[o.low : high+1], true
}
