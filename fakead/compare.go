package fakead

// Compare, RFC 4511 4.10. What the caller may not read compares false with everything; computed attributes cannot be compared.

import (
	"passback/fakead/tree"
)

func (s *Server) compare(req *request) result {
	parts := req.message.Children
	if len(parts) != 2 || len(parts[1].Children) != 2 {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	name, assertion := parts[0].Data.String(), parts[1].Children
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.tree.Resolve(name)
	if err != nil {
		return s.treeResult(err)
	}
	if !s.visible(req.session, e) {
		return s.treeResult(s.tree.Missing(e.DN()))
	}
	attribute := tree.LookupAttribute(assertion[0].Data.String())
	switch {
	case attribute == nil:
		return result{code: codeNoSuchAttribute, text: s.text.unknownAttribute()}
	case req.conn.lacks(attribute):
		return noSuchValue(attribute)
	case req.conn.hides(attribute), !s.accessTo(req.session, e).reads(attribute):
		return result{code: codeCompareFalse}
	case len(e.Get(attribute.Name)) == 0:
		return noSuchValue(attribute)
	case e.Has(attribute.Name, assertion[1].Data.String()):
		return result{code: codeCompareTrue}
	default:
		return result{code: codeCompareFalse}
	}
}

// noSuchValue is the answer about an attribute that the entry does not have.
func noSuchValue(a *tree.Attribute) result {
	return atrErr(codeNoSuchAttribute, errorDSNoAttributeOrValue, "03152B78", a.Type(), a.Name)
}
