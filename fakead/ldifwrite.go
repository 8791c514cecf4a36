package fakead

// LDIF out: the domain as content records (RFC 2849) that Options.LDIF reads back. Left out on purpose: passwords
// and all else that nobody may read, for a hash is a secret too; CN=Schema, which follows from the program; what
// a directory says of itself (USNs, back links, computed attributes).

import (
	"bufio"
	"cmp"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"

	"passback/fakead/tree"
)

// wholeDomain is the comment that tells readers that what is not in an LDIF is not in the domain.
const wholeDomain = "# whole domain: what a new one has beside these records is removed"

// maxLDIFColumns of a line, after which it is folded.
const maxLDIFColumns = 76

// WriteLDIF writes the whole domain, such that New with it as Options.LDIF makes the same domain: the same
// entries with their identifiers, links, rights, times, counters and policies, but no passwords. An account keeps
// pwdLastSet and cannot bind until SetPassword, or a line unicodePwd added to its record, gives it one;
// Administrator gets Options.AdminPassword as in any new domain. userPassword is taken for a password too. The
// directory is locked meanwhile.
func (s *Server) WriteLDIF(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := bufio.NewWriter(w)
	_, _ = fmt.Fprintf(out, "%s\nversion: 1\n", wholeDomain)
	for e := range s.domainEntries() {
		writeRecord(out, e)
		for _, value := range s.writtenSecurity(e) {
			writeLDIFLine(out, descriptorAttribute, value)
		}
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write the domain's LDIF: %w", err)
	}
	return nil
}

// domainEntries are all entries but the schema's, parents first.
func (s *Server) domainEntries() func(yield func(*tree.Entry) bool) {
	return func(yield func(*tree.Entry) bool) {
		for _, head := range s.tree.Heads() {
			if head.DN().Equal(s.tree.SchemaDN()) {
				continue
			}
			for e := range s.tree.Walk(head, tree.WholeSubtree) {
				if !yield(e) {
					return
				}
			}
		}
	}
}

func writeRecord(out *bufio.Writer, e *tree.Entry) {
	_, _ = out.WriteString("\n")
	writeLDIFLine(out, "dn", []byte(e.DN().String()))
	for _, v := range e.Get("objectClass") {
		writeLDIFLine(out, "objectClass", v)
	}
	for _, v := range exported(e) {
		for _, value := range v.Values {
			writeLDIFLine(out, v.Name, value)
		}
	}
}

// exported are the attributes of an entry that LDIF carries, by name.
func exported(e *tree.Entry) []tree.Value {
	var values []tree.Value
	for a, list := range e.All() {
		if carried(a) {
			values = append(values, tree.Value{Name: a.Name, Values: list})
		}
	}
	slices.SortFunc(values, func(a, b tree.Value) int { return cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) })
	return values
}

// carried tells whether an attribute is one that a record gives back.
func carried(a *tree.Attribute) bool {
	return !a.NeverReadable && !a.IsBackLink() && !droppedFromLDIF[a.Name] && a.Name != "userPassword" && a.Name != "whenChanged"
}

// writeLDIFLine folds, and writes in base64 what is no SAFE-STRING.
func writeLDIFLine(out *bufio.Writer, name string, value []byte) {
	line := name + ": " + string(value)
	if !isSafeString(value) {
		line = name + ":: " + base64.StdEncoding.EncodeToString(value)
	}
	for width := maxLDIFColumns; len(line) > width; width = maxLDIFColumns - 1 {
		_, _ = out.WriteString(line[:width] + "\n ")
		line = line[width:]
	}
	_, _ = out.WriteString(line + "\n")
}

// isSafeString is SAFE-STRING of RFC 2849, without a space at the end, which readers cut off.
func isSafeString(value []byte) bool {
	for i, c := range value {
		first := i == 0 && (c == ' ' || c == ':' || c == '<')
		if c == 0 || c == '\n' || c == '\r' || c >= 0x80 || first || c == ' ' && i == len(value)-1 {
			return false
		}
	}
	return true
}
