package security

// SDDL, the text form of a descriptor (MS-DTYP 2.5.1): O:owner G:group D:flags(ace)... S:flags(ace)...

import (
	"fmt"
	"strconv"
	"strings"

	"passback/fakead/tree"
)

const maxSDDL = 1 << 20 // bytes; the binary form has less than a tenth

// A letter pair and what it stands for, in the order in which Windows writes them.
type pair[T any] struct {
	letters string
	value   T
}

var types = []pair[Type]{{"A", Allow}, {"D", Deny}, {"AU", Audit}, {"OA", AllowObject}, {"OD", DenyObject}, {"OU", AuditObject}}

var aceFlags = []pair[Flags]{
	{"OI", ObjectInherit}, {"CI", ContainerInherit}, {"NP", NoPropagateInherit}, {"IO", InheritOnly}, {"ID", Inherited},
	{"SA", auditSuccess}, {"FA", auditFailure},
}

var rights = []pair[Mask]{
	{"CC", CreateChild}, {"DC", DeleteChild}, {"LC", ListContents}, {"SW", SelfWrite}, {"RP", ReadProperty}, {"WP", WriteProperty},
	{"DT", DeleteTree}, {"LO", ListObject}, {"CR", ControlAccess}, {"SD", Delete}, {"RC", ReadControl}, {"WD", WriteDAC}, {"WO", WriteOwner},
	{"GA", genericAll}, {"GX", genericExecute}, {"GW", genericWrite}, {"GR", genericRead},
}

var daclFlags = []pair[Control]{{"P", DACLProtected}, {"AR", daclInheritRequired}, {"AI", DACLAutoInherited}}

// ParseSDDL reads SDDL. Aliases such as DA are relative to the domain; with none they are errors.
func ParseSDDL(text string, domain tree.SID) (*Descriptor, error) {
	if len(text) > maxSDDL {
		return nil, malformed("SDDL of %d bytes", len(text))
	}
	p := sddlParser{rest: text, domain: domain}
	d := &Descriptor{}
	seen := map[byte]bool{}
	for len(p.rest) > 0 {
		if len(p.rest) < 2 || p.rest[1] != ':' || seen[p.rest[0]] {
			return nil, malformed("at %q: one each of O:, G:, D: and S: is expected", clip(p.rest))
		}
		part := p.rest[0]
		seen[part] = true
		p.rest = p.rest[2:]
		if err := p.part(d, part); err != nil {
			return nil, err
		}
	}
	return d, nil
}

type sddlParser struct {
	rest   string
	domain tree.SID
}

func (p *sddlParser) part(d *Descriptor, part byte) (err error) {
	var flags Control
	switch part {
	case 'O':
		d.Owner, err = p.sid()
	case 'G':
		d.Group, err = p.sid()
	case 'D':
		d.DACL, flags, err = p.acl()
		d.Control |= flags
	case 'S':
		d.SACL, flags, err = p.acl()
		d.Control |= flags << 1
	default:
		err = malformed("part %q", part)
	}
	return err
}

// sid reads up to the next part.
func (p *sddlParser) sid() (tree.SID, error) {
	end := len(p.rest)
	if colon := strings.IndexByte(p.rest, ':'); colon > 0 {
		end = colon - 1
	}
	text := p.rest[:end]
	sid, ok := sidOf(text, p.domain)
	if !ok {
		return "", malformed("%q names no security identifier", clip(text))
	}
	p.rest = p.rest[end:]
	return sid, nil
}

// acl reads flags and ACEs.
func (p *sddlParser) acl() (*ACL, Control, error) {
	var control Control
	if rest, ok := strings.CutPrefix(p.rest, "NO_ACCESS_CONTROL"); ok {
		p.rest = rest
		return nil, 0, nil
	}
	for {
		found := false
		for _, f := range daclFlags {
			if rest, ok := strings.CutPrefix(p.rest, f.letters); ok {
				p.rest, control, found = rest, control|f.value, true
			}
		}
		if !found {
			break
		}
	}
	list := &ACL{ACEs: []ACE{}}
	for strings.HasPrefix(p.rest, "(") {
		end := strings.IndexByte(p.rest, ')')
		if end < 0 {
			return nil, 0, malformed("an ACE without its end")
		}
		ace, err := parseACEText(p.rest[1:end], p.domain)
		if err != nil {
			return nil, 0, err
		}
		list.ACEs = append(list.ACEs, ace)
		p.rest = p.rest[end+1:]
	}
	return list, control, nil
}

// parseACEText reads type;flags;rights;object;inherited-by;SID.
func parseACEText(text string, domain tree.SID) (a ACE, err error) {
	f := strings.Split(text, ";")
	if len(f) != 6 {
		return a, malformed("ACE %q has not six fields", clip(text))
	}
	known := false
	for _, t := range types {
		if f[0] == t.letters {
			a.Type, known = t.value, true
		}
	}
	flags, flagsOK := letters(f[1], aceFlags)
	mask, maskOK := parseRights(f[2])
	sid, sidOK := sidOf(f[5], domain)
	if !known || !flagsOK || !maskOK || !sidOK {
		return a, malformed("ACE %q", clip(text))
	}
	a.Flags, a.Mask, a.SID = flags, mask, sid
	for i, guid := range []*tree.GUID{&a.Object, &a.InheritedBy} {
		text := f[3+i]
		if text == "" {
			continue
		}
		if *guid, err = tree.ParseGUID(text); err != nil || len(text) != 36 || !a.Type.isObject() {
			return a, malformed("GUID %q of an ACE", clip(text))
		}
	}
	return a, nil
}

// parseRights reads letter pairs or a number.
func parseRights(text string) (Mask, bool) {
	if strings.HasPrefix(text, "0x") {
		n, err := strconv.ParseUint(text[2:], 16, 32)
		return Mask(n), err == nil
	}
	return letters(text, rights)
}

func letters[T ~uint8 | ~uint32](text string, known []pair[T]) (set T, ok bool) {
next:
	for len(text) > 0 {
		for _, k := range known {
			if rest, found := strings.CutPrefix(text, k.letters); found {
				set, text = set|k.value, rest
				continue next
			}
		}
		return 0, false
	}
	return set, true
}

// SDDL is the text form, with the aliases of a domain's groups if one is given.
func (d *Descriptor) SDDL(domain tree.SID) string {
	var b strings.Builder
	if d.Owner != "" {
		b.WriteString("O:" + nameOf(d.Owner, domain))
	}
	if d.Group != "" {
		b.WriteString("G:" + nameOf(d.Group, domain))
	}
	if d.DACL != nil {
		b.WriteString("D:" + controlText(d.Control) + d.DACL.text(domain))
	}
	if d.SACL != nil {
		b.WriteString("S:" + controlText(d.Control>>1) + d.SACL.text(domain))
	}
	return b.String()
}

// String is SDDL with identifiers of a domain written out.
func (d *Descriptor) String() string { return d.SDDL("") }

func controlText(c Control) string {
	text := ""
	for _, f := range daclFlags {
		if c&f.value != 0 {
			text += f.letters
		}
	}
	return text
}

func (l *ACL) text(domain tree.SID) string {
	var b strings.Builder
	for _, a := range l.ACEs {
		b.WriteString(a.text(domain))
	}
	return b.String()
}

func (a ACE) text(domain tree.SID) string {
	kind := ""
	for _, t := range types {
		if t.value == a.Type {
			kind = t.letters
		}
	}
	flags, _ := written(a.Flags, aceFlags)
	mask, rest := written(a.Mask, rights)
	if rest != 0 {
		mask = fmt.Sprintf("0x%x", uint32(a.Mask))
	}
	return fmt.Sprintf("(%s;%s;%s;%s;%s;%s)", kind, flags, mask, guidText(a.Object), guidText(a.InheritedBy), nameOf(a.SID, domain))
}

// written returns the letters of a set, and the bits that have none.
func written[T ~uint8 | ~uint32](set T, known []pair[T]) (text string, rest T) {
	for _, k := range known {
		if set&k.value != 0 {
			text, set = text+k.letters, set&^k.value
		}
	}
	return text, set
}

func guidText(g tree.GUID) string {
	if g == (tree.GUID{}) {
		return ""
	}
	return g.String()
}

// clip keeps what is quoted in an error short.
func clip(s string) string {
	if len(s) > 60 {
		return s[:60] + "..."
	}
	return s
}
