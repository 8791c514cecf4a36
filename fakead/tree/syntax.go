package tree

// The syntaxes of attributes (MS-ADTS 3.1.1.2.2): which values they take and when two values are equal.

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// A Syntax is a row of MS-ADTS 3.1.1.2.2.2.
type Syntax int

// The syntaxes, by their names in MS-ADTS.
const (
	SyntaxDN            Syntax = iota // Object(DS-DN)
	SyntaxOID                         // String(Object-Identifier): attribute and class names, or OIDs
	SyntaxCaseString                  // String(Case)
	SyntaxTeletex                     // String(Teletex)
	SyntaxPrintable                   // String(Printable)
	SyntaxIA5                         // String(IA5)
	SyntaxNumericString               // String(Numeric)
	SyntaxDNBinary                    // Object(DN-Binary)
	SyntaxBoolean                     // Boolean
	SyntaxInteger                     // Integer
	SyntaxEnumeration                 // Enumeration
	SyntaxOctets                      // String(Octet)
	SyntaxReplicaLink                 // Object(Replica-Link)
	SyntaxUTCTime                     // String(UTC-Time)
	SyntaxTime
	SyntaxString       // String(Unicode)
	SyntaxAddress      // Object(Presentation-Address)
	SyntaxDNString     // Object(DN-String)
	SyntaxDescriptor   // String(NT-Sec-Desc)
	SyntaxLargeInteger // LargeInteger
	SyntaxSID          // String(Sid)
)

// syntaxes are the names in the tables, and attributeSyntax and oMSyntax as CN=Schema shows them.
var syntaxes = []struct {
	name      string
	attribute string
	om        int
}{
	{"dn", "2.5.5.1", 127}, {"oid", "2.5.5.2", 6}, {"casestring", "2.5.5.3", 27}, {"teletex", "2.5.5.4", 20}, {"printable", "2.5.5.5", 19},
	{"ia5", "2.5.5.5", 22}, {"numeric", "2.5.5.6", 18}, {"dnbinary", "2.5.5.7", 127}, {"boolean", "2.5.5.8", 1}, {"integer", "2.5.5.9", 2},
	{"enumeration", "2.5.5.9", 10}, {"octets", "2.5.5.10", 4}, {"replicalink", "2.5.5.10", 127}, {"utctime", "2.5.5.11", 23}, {"time", "2.5.5.11", 24},
	{"string", "2.5.5.12", 64}, {"address", "2.5.5.13", 127}, {"dnstring", "2.5.5.14", 127}, {"descriptor", "2.5.5.15", 66}, {"largeint", "2.5.5.16", 65},
	{"sid", "2.5.5.17", 4},
}

func syntaxNamed(name string) Syntax {
	for i, s := range syntaxes {
		if s.name == name {
			return Syntax(i)
		}
	}
	panic("schema table: no syntax " + name)
}

// OIDs returns attributeSyntax and oMSyntax.
func (s Syntax) OIDs() (attribute string, om int) { return syntaxes[s].attribute, syntaxes[s].om }

// String is the syntax's name in MS-ADTS, shortened as the tables of folder schema have it.
func (s Syntax) String() string { return syntaxes[s].name }

// LDAP returns the OID by which RFC 4517 or Microsoft names the syntax to LDAP clients.
func (s Syntax) LDAP() string { return ldapSyntaxes[s] }

const rfc4517, microsoftSyntax = "1.3.6.1.4.1.1466.115.121.1.", "1.2.840.113556.1.4."

// ldapSyntaxes are those of MS-ADTS 3.1.1.3.1.1.1.
var ldapSyntaxes = map[Syntax]string{
	SyntaxDN: rfc4517 + "12", SyntaxOID: rfc4517 + "38", SyntaxCaseString: microsoftSyntax + "1362", SyntaxTeletex: microsoftSyntax + "905",
	SyntaxPrintable: rfc4517 + "44", SyntaxIA5: rfc4517 + "26", SyntaxNumericString: rfc4517 + "36", SyntaxDNBinary: microsoftSyntax + "903",
	SyntaxBoolean: rfc4517 + "7", SyntaxInteger: rfc4517 + "27", SyntaxEnumeration: rfc4517 + "27", SyntaxOctets: rfc4517 + "40",
	SyntaxReplicaLink: rfc4517 + "40", SyntaxUTCTime: rfc4517 + "53", SyntaxTime: rfc4517 + "24", SyntaxString: rfc4517 + "15",
	SyntaxAddress: rfc4517 + "43", SyntaxDNString: microsoftSyntax + "904", SyntaxDescriptor: microsoftSyntax + "907",
	SyntaxLargeInteger: microsoftSyntax + "906", SyntaxSID: rfc4517 + "40",
}

// ordered tells whether >= and <= mean anything.
func (s Syntax) ordered() bool {
	switch s {
	case SyntaxDN, SyntaxOID, SyntaxDNBinary, SyntaxDNString, SyntaxBoolean, SyntaxDescriptor, SyntaxReplicaLink, SyntaxAddress:
		return false
	default:
		return true
	}
}

// isText tells whether substrings of a value mean anything.
func (s Syntax) isText() bool {
	switch s {
	case SyntaxCaseString, SyntaxTeletex, SyntaxPrintable, SyntaxIA5, SyntaxNumericString, SyntaxString, SyntaxOctets, SyntaxUTCTime, SyntaxTime:
		return true
	default:
		return false
	}
}

func (s Syntax) isNumber() bool {
	return s == SyntaxInteger || s == SyntaxEnumeration || s == SyntaxLargeInteger
}

// parse checks a value that a client wrote and returns it as it is stored.
func (s Syntax) parse(value []byte) ([]byte, error) {
	text := string(value)
	switch s {
	case SyntaxDN:
		dn, err := ParseDN(text)
		return []byte(dn.String()), err
	case SyntaxBoolean:
		if text != "TRUE" && text != "FALSE" {
			return nil, fmt.Errorf("neither TRUE nor FALSE")
		}
	case SyntaxInteger, SyntaxEnumeration:
		n, err := parseInteger(text, 32)
		return strconv.AppendInt(nil, n, 10), err
	case SyntaxLargeInteger:
		n, err := parseInteger(text, 64)
		return strconv.AppendInt(nil, n, 10), err
	case SyntaxTime, SyntaxUTCTime:
		at, err := parseTime(text)
		return []byte(FormatTime(at)), err
	case SyntaxSID:
		sid, err := ParseSID(text)
		return []byte(sid), err
	case SyntaxOctets, SyntaxReplicaLink, SyntaxDescriptor, SyntaxDNBinary, SyntaxDNString, SyntaxAddress, SyntaxOID:
	default:
		if !utf8.Valid(value) {
			return nil, fmt.Errorf("not UTF-8")
		}
	}
	return value, nil
}

// parseInteger reads a decimal; a 32-bit one may be written without a sign, as userAccountControl and
// groupType often are.
func parseInteger(text string, bits int) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if bits == 32 && err == nil && n != int64(int32(n)) {
		if n != int64(uint32(n)) {
			return 0, fmt.Errorf("more than 32 bits")
		}
		n = int64(int32(uint32(n)))
	}
	if err != nil {
		return 0, fmt.Errorf("not a decimal number of %d bits", bits)
	}
	return n, nil
}

// parseTime reads a generalised time, or the UTC time that MS-ADTS 3.1.1.2.2.2.12 allows beside it. A fraction of a second
// is dropped unread, whatever it is.
func parseTime(text string) (time.Time, error) {
	if whole, rest, ok := strings.Cut(text, "."); ok {
		zone := strings.LastIndexAny(rest, "Z+-")
		if zone < 0 {
			return time.Time{}, errNoTime
		}
		text = whole + rest[zone:]
	}
	for _, layout := range []string{"20060102150405Z", "20060102150405Z0700", "060102150405Z", "060102150405Z0700"} {
		if at, err := time.Parse(layout, text); err == nil {
			return at.UTC(), nil
		}
	}
	return time.Time{}, errNoTime
}

var errNoTime = errors.New("not a generalised time")

// FormatTime writes a generalised time as a domain controller does.
func FormatTime(at time.Time) string { return at.UTC().Format("20060102150405") + ".0Z" }

// assertion turns the value of a filter into the stored form of a value; false if it cannot be one.
func (s Syntax) assertion(value []byte, a *Attribute) ([]byte, bool) {
	if s == SyntaxOctets {
		return octetAssertion(value, a)
	}
	stored, err := s.parse(value)
	return stored, err == nil
}

// octetAssertion takes bytes, and for a GUID of fixed length its strings too.
func octetAssertion(value []byte, a *Attribute) ([]byte, bool) {
	if a.Lower != 16 || a.Upper != 16 {
		return value, true
	}
	g, err := ParseGUID(string(value))
	return g[:], err == nil
}

// key is equal for equal values.
func (s Syntax) key(value []byte) string { return s.keyText(string(value)) }

func (s Syntax) keyText(value string) string {
	switch s {
	case SyntaxDN:
		if dn, err := ParseDN(value); err == nil {
			return dn.key()
		}
	case SyntaxTeletex, SyntaxString, SyntaxPrintable, SyntaxIA5, SyntaxNumericString, SyntaxOID, SyntaxDNString, SyntaxDNBinary, SyntaxAddress:
		return fold(value)
	}
	return value
}

// compare orders two stored values.
func (s Syntax) compare(a, b []byte) int {
	if s.isNumber() {
		m, _ := strconv.ParseInt(string(a), 10, 64)
		n, _ := strconv.ParseInt(string(b), 10, 64)
		return cmp.Compare(m, n)
	}
	if s == SyntaxOctets || s == SyntaxSID {
		return bytes.Compare(a, b)
	}
	return strings.Compare(s.key(a), s.key(b))
}

// fold makes strings equal that a domain controller's comparison takes for equal: those that differ in case,
// width or accents (MS-ADTS 3.1.1.2.2.4.13, CompareString with NORM_IGNORE*).
func fold(s string) string {
	if isASCII(s) {
		return strings.ToLower(s)
	}
	var b strings.Builder
	for _, r := range norm.NFKD.String(s) {
		if !unicode.Is(unicode.Mn, r) {
			b.WriteRune(unicode.ToLower(r))
		}
	}
	return b.String()
}

func isASCII(s string) bool {
	for _, c := range []byte(s) {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}
