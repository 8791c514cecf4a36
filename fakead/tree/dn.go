package tree

// Distinguished names as strings: RFC 4514, with what a domain controller accepts beside it (spaces around
// separators). Left out on purpose: multi-valued RDNs, which Active Directory refuses too.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// ErrDNSyntax is wrapped by every error of ParseDN.
var ErrDNSyntax = errors.New("not a distinguished name")

const (
	maxDNLength = 16 << 10 // bytes
	maxRDNs     = 256
)

// A DN is a distinguished name, the entry's own RDN first. The empty DN is the root's.
type DN []RDN

// An RDN is one attribute type and its value, unescaped.
type RDN struct{ Type, Value string }

// ParseDN reads a name in the form of RFC 4514.
func ParseDN(s string) (DN, error) {
	if len(s) > maxDNLength {
		return nil, fmt.Errorf("%w: longer than %d bytes", ErrDNSyntax, maxDNLength)
	}
	dn := DN{}
	if strings.TrimSpace(s) == "" {
		return dn, nil
	}
	for rest, more := s, true; more; {
		var rdn RDN
		var err error
		if rdn, rest, more, err = parseRDN(rest); err != nil {
			return nil, err
		}
		if dn = append(dn, rdn); len(dn) > maxRDNs {
			return nil, fmt.Errorf("%w: more than %d components", ErrDNSyntax, maxRDNs)
		}
	}
	return dn, nil
}

// MustParseDN is ParseDN for constants; it panics on a malformed one.
func MustParseDN(s string) DN {
	dn, err := ParseDN(s)
	if err != nil {
		panic(err)
	}
	return dn
}

// ParseRDN reads a name of one component, as ModifyDN gives it. Its error is an *Error.
func ParseRDN(s string) (RDN, error) {
	dn, err := ParseDN(s)
	name, value, named := strings.Cut(s, "=")
	switch {
	case named && isAttributeType(strings.TrimSpace(name)) && strings.TrimSpace(value) == "":
		return RDN{}, errEmptyRDN.near(nil)
	case err != nil:
		return RDN{}, BadName()
	case len(dn) == 0:
		return RDN{}, errNoRDN.about(nil)
	case len(dn) > 1:
		return RDN{}, errManyRDNs.near(nil)
	default:
		return dn[0], nil
	}
}

// parseRDN reads one component, and tells what follows its separator, if there is one.
func parseRDN(s string) (rdn RDN, rest string, more bool, err error) {
	name, after, ok := strings.Cut(s, "=")
	name = strings.TrimSpace(name)
	if !ok || !isAttributeType(name) {
		return RDN{}, "", false, fmt.Errorf("%w: a component without type=value", ErrDNSyntax)
	}
	value, rest, more, err := parseRDNValue(strings.TrimLeft(after, " "))
	if err != nil {
		return RDN{}, "", false, err
	}
	if value == "" {
		return RDN{}, "", false, fmt.Errorf("%w: %s has no value", ErrDNSyntax, name)
	}
	return RDN{Type: canonicalRDNType(name), Value: value}, rest, more, nil
}

func isAttributeType(s string) bool {
	for i, c := range []byte(s) {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		digit := c >= '0' && c <= '9'
		if !letter && !digit && c != '.' && (i == 0 || c != '-') {
			return false
		}
	}
	return s != ""
}

// canonicalRDNType writes CN, OU and DC in capitals, as Windows does, and other types as the schema has them.
func canonicalRDNType(name string) string {
	if a := LookupAttribute(name); a != nil {
		name = a.Name
	}
	if len(name) <= 2 {
		return strings.ToUpper(name)
	}
	return name
}

// parseRDNValue reads up to the next unescaped separator.
func parseRDNValue(s string) (value, rest string, more bool, err error) {
	if strings.HasPrefix(s, "#") {
		return parseHexValue(s[1:])
	}
	var b strings.Builder
	trimmed := 0 // the length of b up to the last byte that is not an unescaped space
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case ',', ';':
			return finishRDNValue(b.String()[:trimmed], s[i+1:], true)
		case '\\':
			c, width, err := unescape(s[i+1:])
			if err != nil {
				return "", "", false, err
			}
			b.WriteByte(c)
			trimmed = b.Len()
			i += width
		case '"', '+', '<', '>', 0:
			return "", "", false, fmt.Errorf("%w: %q has to be escaped", ErrDNSyntax, c)
		default:
			b.WriteByte(c)
			if c != ' ' {
				trimmed = b.Len()
			}
		}
	}
	return finishRDNValue(b.String()[:trimmed], "", false)
}

func finishRDNValue(value, rest string, more bool) (string, string, bool, error) {
	if !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0 {
		return "", "", false, fmt.Errorf("%w: a value that is not UTF-8, or contains NUL", ErrDNSyntax)
	}
	return value, rest, more, nil
}

// unescape reads what follows a backslash: one special character or two hexadecimal digits.
func unescape(s string) (c byte, width int, err error) {
	if len(s) >= 2 {
		if b, err := hex.DecodeString(s[:2]); err == nil {
			return b[0], 2, nil
		}
	}
	if s == "" || !strings.ContainsRune(` "#+,;<=>\`, rune(s[0])) {
		return 0, 0, fmt.Errorf("%w: a backslash before neither a special character nor two digits", ErrDNSyntax)
	}
	return s[0], 1, nil
}

// parseHexValue reads the #-form: the BER of a string, in hexadecimal.
func parseHexValue(s string) (value, rest string, more bool, err error) {
	digits, rest := s, ""
	if i := strings.IndexAny(s, ",;"); i >= 0 {
		digits, rest, more = s[:i], s[i+1:], true
	}
	encoded, err := hex.DecodeString(strings.TrimRight(digits, " "))
	if err != nil {
		return "", "", false, fmt.Errorf("%w: a #-value that is not hexadecimal", ErrDNSyntax)
	}
	p, err := ber.DecodePacketErr(encoded)
	if err != nil || p.TagType != ber.TypePrimitive {
		return "", "", false, fmt.Errorf("%w: a #-value that is not the BER of a string", ErrDNSyntax)
	}
	return finishRDNValue(p.Data.String(), rest, more)
}

// String writes the name as a domain controller does: no spaces, special characters after a backslash.
func (dn DN) String() string {
	parts := make([]string, len(dn))
	for i, rdn := range dn {
		parts[i] = rdn.String()
	}
	return strings.Join(parts, ",")
}

// String writes type=value, escaped.
func (r RDN) String() string { return r.Type + "=" + escape(r.Value) }

func escape(value string) string {
	if isPlain(value) {
		return value
	}
	var b strings.Builder
	for i, c := range []byte(value) {
		switch {
		case strings.IndexByte(`,\+"<>;=`, c) >= 0,
			c == '#' && i == 0,
			c == ' ' && (i == 0 || i == len(value)-1):
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ':
			fmt.Fprintf(&b, `\%02X`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// isPlain tells whether a value is written as it is: letters, digits and what stands between them in most names.
func isPlain(value string) bool {
	for i, c := range []byte(value) {
		letter, digit := c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9'
		inner := (c == ' ' || c == '-' || c == '.') && i > 0 && i < len(value)-1
		if !letter && !digit && !inner {
			return false
		}
	}
	return true
}

// Parent is the name without its first component; the root is its own parent.
func (dn DN) Parent() DN {
	if len(dn) == 0 {
		return dn
	}
	return dn[1:]
}

// Child is the name of an entry below dn.
func (dn DN) Child(typ, value string) DN {
	return append(DN{{Type: typ, Value: value}}, dn...)
}

// Equal compares as a directory does: without regard to case.
func (dn DN) Equal(other DN) bool {
	return slices.EqualFunc(dn, other, func(a, b RDN) bool {
		return strings.EqualFold(a.Type, b.Type) && (a.Value == b.Value || fold(a.Value) == fold(b.Value))
	})
}

// Under tells whether dn is ancestor or lies below it.
func (dn DN) Under(ancestor DN) bool {
	n := len(dn) - len(ancestor)
	return n >= 0 && dn[n:].Equal(ancestor)
}

// key is equal for equal names and for no others.
func (dn DN) key() string {
	var b strings.Builder
	size := 0
	for _, rdn := range dn {
		size += len(rdn.Type) + len(rdn.Value) + len("=\x00")
	}
	b.Grow(size)
	for _, rdn := range dn {
		b.WriteString(strings.ToLower(rdn.Type))
		b.WriteByte('=')
		b.WriteString(fold(rdn.Value))
		b.WriteByte(0) // which no value contains
	}
	return b.String()
}

// parentKey is the key of the name without its first component.
func parentKey(key string) string { return key[strings.IndexByte(key, 0)+1:] }
