package fakead

// Attribute-scoped queries, MS-ADTS 3.1.1.3.4.1.18: a search not of the base object but of those that one of its
// attributes names.

import "passback/fakead/tree"

const oidAttributeScope = "1.2.840.113556.1.4.1504"

// attributeScope replaces the base of a search if the control asks for it. Whatever is wrong with the attribute is told
// by the control of an answer without entries.
func (s *Server) attributeScope(req *request, m *searchRequest, bases []*tree.Entry) (scoped []*tree.Entry, response []control, refusal result) {
	c, ok := req.control(oidAttributeScope)
	if !ok {
		return bases, nil, result{}
	}
	outer := berReader{rest: c.value}
	r := outer.inside(berSequence) // { sourceAttribute OCTET STRING }
	a := tree.LookupAttribute(r.text())
	malformed := r.bad || r.more() || outer.more()
	switch {
	case malformed && c.critical:
		return nil, nil, s.failedControl()
	case malformed:
		return bases, nil, result{}
	case m.scope != tree.BaseObject:
		return nil, attributeScopeResult(codeUnwillingToPerform), result{}
	case a != nil && a.Syntax != tree.SyntaxDN:
		return nil, attributeScopeResult(codeInvalidSyntax), result{}
	case a != nil && s.accessTo(req.session, bases[0]).reads(a):
		for _, name := range bases[0].Get(a.Name) {
			if e, err := s.tree.Resolve(string(name)); err == nil && s.visible(req.session, e) {
				scoped = append(scoped, e)
			}
		}
	}
	return scoped, attributeScopeResult(codeSuccess), result{}
}

// attributeScopeResult is SEQUENCE { searchResults ENUMERATED }.
func attributeScopeResult(code int) []control {
	return []control{{oid: oidAttributeScope, value: enumerated(code)}}
}
