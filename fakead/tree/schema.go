package tree

// The schema: what MS-ADA1 to 3 and MS-ADSC say of the attributes and classes that the fake knows. The facts
// are in the tables of folder schema; what the SAM and the security of a domain controller add to them is here.

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// An Attribute is one attributeSchema object.
type Attribute struct {
	Name   string // lDAPDisplayName
	CN     string // of its object in CN=Schema
	OID    string // attributeID
	Syntax Syntax
	Link   int // linkID: even for a forward link, odd for its back link, 0 for neither
	Lower  int // rangeLower and rangeUpper: of a string's length or an integer's value; RangeUnset for none
	Upper  int
	GUID   GUID // schemaIDGUID
	Set    GUID // attributeSecurityGUID: the property set that it is in; zero for none

	Single        bool // isSingleValued
	SystemOnly    bool
	Constructed   bool // computed when asked for by name, never stored
	NotReplicated bool // a change of it moves neither uSNChanged nor whenChanged
	ANR           bool // takes part in ambiguous name resolution
	Confidential  bool
	OwnedBySAM    bool // clients cannot write it: ERROR_DS_ATTRIBUTE_OWNED_BY_SAM
	NeverReadable bool // stored, but shown to nobody and found by no filter (MS-ADTS 3.1.1.4.4)
	PartialSet    bool // isMemberOfPartialAttributeSet
	InCatalog     bool // a global catalog has it: it is of the partial set, a back link of what is, or computed

	rank   int    // in the order of names
	number uint32 // of Type, where the OID has no fixed prefix
	alike  bool   // packed.go says of what
	usual  string // the same
	inName bool   // said by an entry's name, and not stored
}

// RangeUnset is Lower or Upper of an attribute without such a bound.
const RangeUnset = -1 << 31

// A Class is one classSchema object.
type Class struct {
	Name       string // lDAPDisplayName
	CN         string // of its object in CN=Schema
	OID        string // governsID
	Kind       string // structural, abstract, auxiliary or 88class
	Superior   string // subClassOf
	RDN        string // rDNAttID
	Category   string // the CN of defaultObjectCategory
	GUID       GUID   // schemaIDGUID
	Hidden     bool   // defaultHidingValue: a new entry gets showInAdvancedViewOnly
	Auxiliary  []string
	Containers []string // possSuperiors
	Must       []string // mustContain and systemMustContain
	May        []string // mayContain and systemMayContain
}

// ownedBySAM are the attributes of accounts that only the SAM writes (MS-ADTS 3.1.1.5.3.2, MS-SAMR 3.1.1.8).
var ownedBySAM = []string{
	"badPasswordTime", "badPwdCount", "dBCSPwd", "isCriticalSystemObject", "lastLogoff", "lastLogon", "lastLogonTimestamp",
	"lmPwdHistory", "logonCount", "memberOf", "ntPwdHistory", "objectSid", "revision", "rid", "sAMAccountType", "supplementalCredentials",
}

// neverReadable are the secrets (MS-ADTS 3.1.1.4.4, 3.1.1.3.1.5). userPassword is one only where dSHeuristics says so.
var neverReadable = []string{
	"currentValue", "dBCSPwd", "initialAuthIncoming", "initialAuthOutgoing", "lmPwdHistory", "ntPwdHistory", "priorValue",
	"supplementalCredentials", "trustAuthIncoming", "trustAuthOutgoing", "unicodePwd",
}

type schema struct {
	attributes map[string]*Attribute // by name, as it is written and in lower case, and by OID
	classes    map[string]*Class
	inOrder    []*Attribute
	classOrder []*Class
	sets       map[string]GUID
}

var loadSchema = sync.OnceValue(func() *schema {
	s := parseSchema()
	for _, name := range ownedBySAM {
		if a := s.attributes[strings.ToLower(name)]; a != nil {
			a.OwnedBySAM = true
		}
	}
	for _, name := range alike {
		s.attributes[strings.ToLower(name)].alike = true
	}
	for name, value := range usual {
		s.attributes[strings.ToLower(name)].usual = value
	}
	for _, name := range []string{"name", "distinguishedName"} {
		s.attributes[strings.ToLower(name)].inName = true
	}
	for _, name := range neverReadable {
		if a := s.attributes[strings.ToLower(name)]; a != nil {
			a.NeverReadable = true
		}
	}
	return s
})

// LookupAttribute finds an attribute by its name in any case, or by its OID, with option ;binary or without.
// It returns nil for one that the schema does not know.
func LookupAttribute(name string) *Attribute {
	s := loadSchema()
	if a := s.attributes[name]; a != nil {
		return a
	}
	if len(name) > len(binaryOption) && strings.EqualFold(name[len(name)-len(binaryOption):], binaryOption) {
		name = name[:len(name)-len(binaryOption)]
	}
	return s.attributes[strings.ToLower(name)]
}

const binaryOption = ";binary"

// mustAttribute is LookupAttribute for names in this program.
func mustAttribute(name string) *Attribute {
	a := LookupAttribute(name)
	if a == nil {
		panic("the schema tables lack attribute " + name)
	}
	return a
}

// LookupClass finds a class by its name in any case, or by its OID; nil if the schema does not know it.
func LookupClass(name string) *Class {
	s := loadSchema()
	if c := s.classes[name]; c != nil {
		return c
	}
	return s.classes[strings.ToLower(name)]
}

// Attributes returns all attributes by name.
func Attributes() []*Attribute { return loadSchema().inOrder }

// Classes returns all classes in the order in which a superior precedes its subclasses.
func Classes() []*Class { return loadSchema().classOrder }

// PropertySet is the rightsGuid of a property set (MS-ADTS 3.1.1.2.3.3) by its name; false if the schema has no
// such set.
func PropertySet(name string) (GUID, bool) {
	g, ok := loadSchema().sets[name]
	return g, ok
}

// Chain returns the class and its superiors, top first, as the values of objectClass are ordered.
func (c *Class) Chain() []*Class {
	var chain []*Class
	for c != nil {
		chain = append(chain, c)
		if c.Name == "top" {
			break
		}
		c = LookupClass(c.Superior)
	}
	slices.Reverse(chain)
	return chain
}

// attributeTypes is what MS-DRSR 5.16.4 calls the prefix table: the OIDs that ATTRTYP numbers abbreviate.
var attributeTypes = []struct {
	prefix string
	high   uint32
}{
	{"2.5.4.", 0x0}, {"2.5.6.", 0x10000}, {"1.2.840.113556.1.2.", 0x20000}, {"1.2.840.113556.1.3.", 0x30000},
	{"1.2.840.113556.1.4.", 0x90000}, {"1.2.840.113556.1.5.", 0xa0000}, {"0.9.2342.19200300.100.1.", 0x150000},
	{"2.16.840.1.113730.3.1.", 0x160000}, {"2.5.21.", 0x180000}, {"2.5.18.", 0x190000}, {"2.5.20.", 0x1a0000},
}

// numberPrefixes gives the prefixes that are not fixed numbers of this domain controller's own, as each does in the order
// in which it meets them.
func (s *schema) numberPrefixes() {
	const first, own = 0x20, 0x4000
	prefixes := map[string]uint32{}
	for _, a := range s.inOrder {
		if a.fixedType() != 0 || a.Name == "objectClass" {
			continue
		}
		dot := strings.LastIndexByte(a.OID, '.')
		if prefixes[a.OID[:dot]] == 0 {
			prefixes[a.OID[:dot]] = uint32(first+len(prefixes)) << 16
		}
		last, _ := strconv.ParseUint(a.OID[dot+1:], 10, 32)
		a.number = prefixes[a.OID[:dot]] | uint32(last%own)
	}
}

// Type is the attribute's ATTRTYP, which diagnostics name in hexadecimal.
func (a *Attribute) Type() uint32 {
	if a.number != 0 {
		return a.number
	}
	return a.fixedType()
}

func (a *Attribute) fixedType() uint32 {
	for _, t := range attributeTypes {
		if last, ok := strings.CutPrefix(a.OID, t.prefix); ok {
			if n, err := strconv.ParseUint(last, 10, 14); err == nil {
				return t.high | uint32(n)
			}
		}
	}
	return 0
}

// Compare orders two stored values as >= and sorting do.
func (a *Attribute) Compare(x, y []byte) int { return a.Syntax.compare(x, y) }

// IsLink tells whether the values are kept as links to entries.
func (a *Attribute) IsLink() bool { return a.Link > 0 && a.Link%2 == 0 && a.Syntax == SyntaxDN }

// IsBackLink tells whether the values follow from the links of others.
func (a *Attribute) IsBackLink() bool { return a.Link%2 == 1 }

// backLink is the other end of a forward link; nil if the schema has none.
func (a *Attribute) backLink() *Attribute { return a.partner(a.Link + 1) }

// forwardLink is the other end of a back link.
func (a *Attribute) forwardLink() *Attribute { return a.partner(a.Link - 1) }

func (a *Attribute) partner(link int) *Attribute {
	for _, other := range loadSchema().inOrder {
		if other.Link == link && link > 0 {
			return other
		}
	}
	return nil
}

func byName(a, b *Attribute) int { return cmp.Compare(a.rank, b.rank) }
