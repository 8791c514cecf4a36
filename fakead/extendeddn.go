package fakead

// Extended names, MS-ADTS 3.1.1.3.4.1.5: <GUID=...>;<SID=...>;DN for each name in the answer of a search.

import (
	"fmt"
	"strings"

	"passback/fakead/tree"
)

const oidExtendedDN = "1.2.840.113556.1.4.529"

// A nameForm is how an answer writes names.
type nameForm int

// The forms of names: DNs alone, and with identifiers as the flags of the control ask for them.
const (
	plainNames       nameForm = iota
	hexadecimalNames          // 0: the digits of their bytes
	stringNames               // 1: dashed and S-1-... strings
)

// nameForm reads the control, whose value may be left out.
func (s *Server) nameForm(req *request) (nameForm, result) {
	c, ok := req.control(oidExtendedDN)
	if !ok {
		return plainNames, result{}
	}
	if c.value == nil {
		return hexadecimalNames, result{}
	}
	flag, valid := hintsFlags(c.value) // the same SEQUENCE { Flag INTEGER }
	switch {
	case valid && (flag == 0 || flag == 1):
		return hexadecimalNames + nameForm(flag), result{}
	case c.critical:
		return plainNames, s.failedControl()
	default:
		return plainNames, result{}
	}
}

// name writes the name of an entry.
func (f nameForm) name(e *tree.Entry) string {
	dn := e.DN().String()
	if f == plainNames {
		return dn
	}
	guid, sid := e.GUID(), e.SID()
	text, sidText := guid.String(), sid.String()
	if f == hexadecimalNames {
		text, sidText = fmt.Sprintf("%x", guid[:]), fmt.Sprintf("%x", string(sid))
	}
	if sid == "" {
		return "<GUID=" + text + ">;" + dn
	}
	return "<GUID=" + text + ">;<SID=" + sidText + ">;" + dn
}

// names writes the names among the values of an attribute.
func (s *Server) names(f nameForm, a *tree.Attribute, values [][]byte) [][]byte {
	if f == plainNames || a.Syntax != tree.SyntaxDN && a.Syntax != tree.SyntaxDNBinary && a.Syntax != tree.SyntaxDNString {
		return values
	}
	written := make([][]byte, len(values))
	for i, v := range values {
		parts := []string{string(v)}
		if a.Syntax != tree.SyntaxDN {
			parts = strings.SplitN(parts[0], ":", 4) // B:32:<digits>:DN
		}
		last := len(parts) - 1
		if e, err := s.tree.Resolve(parts[last]); err == nil {
			parts[last] = f.name(e)
		}
		written[i] = []byte(strings.Join(parts, ":"))
	}
	return written
}
