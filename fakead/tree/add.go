package tree

// Adding and deleting entries (MS-ADTS 3.1.1.5.2 and 3.1.1.5.5). What is left of a deleted one is in tombstones.go.

import (
	"crypto/rand"
	"encoding/base32"
	"slices"
	"strings"
	"sync"
)

// Add makes an entry. What a client may leave out is filled in: superior classes, objectCategory, identifiers,
// and the defaults of accounts. Its error is an *Error.
func (t *Tree) Add(dn DN, values []Value, rules Rules) (*Entry, error) {
	key := dn.key()
	parent, err := t.judgePlace(dn, key)
	if err != nil {
		return nil, err
	}
	class, names, err := objectClasses(values)
	if err != nil {
		return nil, err
	}
	e := &Entry{dn: dn, parent: parent}
	e.put(mustAttribute("objectClass"), Strings("", names...).Values)
	if !rules.System {
		if err := judgeStructure(e, class); err != nil {
			return nil, err
		}
	}
	p := t.planNew(e)
	if err := p.fill(values, rules); err != nil {
		return nil, err
	}
	p.defaults(class)
	for _, name := range uniqueNames {
		a := mustAttribute(name)
		if err := t.judgeUnique(e, a, p.current(a).values); err != nil {
			return nil, err
		}
	}
	if !rules.System {
		if a := p.missing(); a != nil {
			return nil, errMissingAttribute.about(a)
		}
		for _, judge := range []func() error{p.judgeSettings, p.judgeNewGroupType, p.judgeNewPrimaryGroup, p.judgeKind, p.judgeRoleOwner, p.judgeCategory} {
			if err := judge(); err != nil {
				return nil, err
			}
		}
	}
	t.enter(p, key)
	clear(p.changed)
	t.spare = p.changed
	return e, nil
}

// planNew starts the plan of a new entry, in the map of the one before: an import makes a million of them.
func (t *Tree) planNew(e *Entry) *Plan {
	p := &Plan{tree: t, entry: e, changed: t.spare, adds: true}
	if t.spare = nil; p.changed == nil {
		p.changed = make(map[*Attribute]planned, 2*len(userDefaults))
	}
	return p
}

// AddHead makes the head of a naming context. Only the directory itself does.
func (t *Tree) AddHead(dn DN, values []Value) (*Entry, error) {
	_, names, err := objectClasses(values)
	if err != nil {
		return nil, err
	}
	e := &Entry{dn: dn, head: true}
	e.put(mustAttribute("objectClass"), Strings("", names...).Values)
	p := t.Plan(e)
	if err := p.fill(append(values, Strings("instanceType", "5")), Rules{System: true}); err != nil {
		return nil, err
	}
	p.defaults(e.Class())
	t.enter(p, dn.key())
	return e, nil
}

// ClassOf is the structural class that the values of a new entry name. Its error is an *Error.
func ClassOf(values []Value) (*Class, error) {
	class, _, err := objectClasses(values)
	return class, err
}

// judgePlace returns the parent of a new entry; key is that of its name.
func (t *Tree) judgePlace(dn DN, key string) (parent *Entry, err error) {
	if len(dn) == 0 {
		return nil, errNaming.near(nil)
	}
	if t.find(dn, key) != nil {
		return nil, errEntryExists.near(nil)
	}
	if parent = t.find(dn.Parent(), parentKey(key)); parent == nil {
		return nil, errNoObject.near(t.nearest(dn))
	}
	return parent, nil
}

// objectClasses completes the values of objectClass: the most specific structural class with all its superiors,
// and auxiliary classes after top.
func objectClasses(values []Value) (*Class, []string, error) {
	var specific *Class
	var given, auxiliary []*Class
	for _, v := range values {
		if LookupAttribute(v.Name) != mustAttribute("objectClass") {
			continue
		}
		if len(v.Values) == 0 {
			return nil, nil, errNoValues.about(mustAttribute("objectClass"))
		}
		for _, name := range v.Values {
			c := LookupClass(string(name))
			if c == nil {
				return nil, nil, errNoSuchAttributeType.about(nil)
			}
			given = append(given, c)
		}
	}
	for _, c := range given {
		switch {
		case c.Kind == "auxiliary":
			auxiliary = append(auxiliary, c)
		case c.Kind != "abstract" && (specific == nil || len(c.Chain()) > len(specific.Chain())):
			specific = c
		}
	}
	if specific == nil {
		return nil, nil, errObjectClass.about(mustAttribute("objectClass"))
	}
	chain := specific.Chain()
	for _, c := range given {
		if c.Kind != "auxiliary" && !slices.Contains(chain, c) {
			return nil, nil, errObjectClass.about(mustAttribute("objectClass"))
		}
	}
	names := []string{"top"}
	for _, c := range append(auxiliary, chain[1:]...) {
		names = append(names, c.Name)
	}
	return specific, names, nil
}

// judgeStructure holds the schema's rules of naming and containment.
func judgeStructure(e *Entry, class *Class) error {
	if a := LookupAttribute(e.dn[0].Type); a == nil || a != LookupAttribute(class.RDN) {
		return errRDNType.near(e.dn.Parent())
	}
	if !class.Under(e.parent) {
		return errNaming.near(e.dn.Parent())
	}
	return nil
}

// Under tells whether the schema lets objects of the class lie directly below an entry.
func (c *Class) Under(parent *Entry) bool {
	if c.Kind == "abstract" || c.Kind == "auxiliary" {
		return false
	}
	for _, class := range c.Chain() {
		if slices.ContainsFunc(class.Containers, parent.IsA) {
			return true
		}
	}
	return false
}

// fill takes a client's values into the plan.
func (p *Plan) fill(values []Value, rules Rules) error {
	rdn := p.entry.dn[0]
	for _, v := range values {
		a := LookupAttribute(v.Name)
		switch {
		case a == nil:
			return errNoSuchAttributeType.about(nil)
		case len(v.Values) == 0 && !rules.System:
			return errNoValuesToAdd.about(a)
		case a.Name == "objectClass", len(v.Values) == 0:
			continue
		case a.Constructed && !rules.System:
			return errUndefinedType.about(a)
		case a.Name == "name" && !rules.System:
			continue // it follows from the RDN
		case a == LookupAttribute(rdn.Type), a.Name == "name":
			if len(v.Values) > 1 || fold(string(v.Values[0])) != fold(rdn.Value) {
				return errNameSyntax.near(p.entry.dn.Parent()) // MS-ADTS 3.1.1.3.1.2.1
			}
			continue
		case a.Name == "objectGUID" && !rules.System:
			return errUnwilling.about(a)
		case a.Name == "instanceType" && !p.entry.head:
			if err := judgeInstanceType(a, v.Values); err != nil {
				return err
			}
			continue
		case a.Name == "distinguishedName", corrected[a.Name] && !rules.System:
			continue // what they are is not the client's to say; Windows takes them all the same
		}
		if err := p.apply(Change{Op: AddValues, Value: v}, rules); err != nil {
			return err
		}
	}
	return nil
}

// corrected are attributes that a client may give and the directory knows better.
var corrected = map[string]bool{"uSNCreated": true, "uSNChanged": true, "whenCreated": true, "whenChanged": true}

// judgeInstanceType: clients make entries that can be written and head no naming context (MS-ADTS 3.1.1.5.2.2).
func judgeInstanceType(a *Attribute, values [][]byte) error {
	if len(values) > 1 || string(values[0]) != "0" && string(values[0]) != "4" {
		return errUnwilling.about(a)
	}
	return nil
}

// fallback sets an attribute that the plan leaves without values.
func (p *Plan) fallback(name, value string) {
	if len(p.Get(name)) == 0 {
		p.Set(name, value)
	}
}

func (p *Plan) defaults(class *Class) {
	t, e := p.tree, p.entry
	now := FormatTime(t.now())
	guid := newGUID()
	t.usn++
	p.fallback("instanceType", "4")
	p.fallback("whenCreated", now)
	p.fallback("whenChanged", now)
	p.fallback("uSNCreated", formatInt(t.usn))
	p.fallback("uSNChanged", formatInt(t.usn))
	p.fallback("objectGUID", string(guid[:]))
	p.fallback("objectCategory", t.categoryDN(class.Category))
	if a := mustAttribute("nTSecurityDescriptor"); len(p.current(a).values) == 0 && t.protect != nil {
		p.changed[a] = planned{values: t.protect(e)}
	}
	if class.Hidden {
		p.fallback("showInAdvancedViewOnly", "TRUE")
	}
	if e.isAccount() && class.Name != "foreignSecurityPrincipal" {
		p.accountDefaults()
	}
}

// judgeCategory: objectCategory names a class, whichever that is.
func (p *Plan) judgeCategory() error {
	a := mustAttribute("objectCategory")
	if p.First(a.Name) == p.tree.categoryDN(p.entry.Class().Category) {
		return nil
	}
	dn, err := ParseDN(p.First(a.Name))
	if err != nil {
		return errBadName.about(a)
	}
	for _, c := range Classes() {
		if len(dn) > 1 && strings.EqualFold(dn[0].Value, c.CN) && dn.Parent().Equal(p.tree.SchemaDN()) {
			return nil
		}
	}
	if p.tree.Find(dn) == nil {
		return errNoReference.about(a)
	}
	return errObjectClass.about(a)
}

// categoryDN is the name of a class's object in CN=Schema.
func (t *Tree) categoryDN(cn string) string {
	return RDN{"CN", cn}.String() + "," + t.schemaName
}

// ConfigurationDN is the name of the configuration naming context.
func (t *Tree) ConfigurationDN() DN { return t.base.Child("CN", "Configuration") }

// SchemaDN is the name of the schema naming context.
func (t *Tree) SchemaDN() DN { return t.ConfigurationDN().Child("CN", "Schema") }

// userDefaults are the attributes of a user that nobody gave (MS-SAMR 3.1.1.8.1 and what Windows shows).
var userDefaults = []struct{ name, value string }{
	{"userAccountControl", "546"}, {"badPwdCount", "0"}, {"codePage", "0"}, {"countryCode", "0"}, {"badPasswordTime", "0"}, {"lastLogoff", "0"},
	{"lastLogon", "0"}, {"pwdLastSet", "0"}, {"accountExpires", "9223372036854775807"}, {"logonCount", "0"},
}

// A fallbackValue is what an attribute has if nobody gave it anything; all entries share it.
type fallbackValue struct {
	attribute *Attribute
	values    [][]byte
}

var loadUserDefaults = sync.OnceValue(func() []fallbackValue {
	list := make([]fallbackValue, len(userDefaults))
	for i, d := range userDefaults {
		list[i] = fallbackValue{mustAttribute(d.name), Strings("", d.value).Values}
	}
	return list
})

func (p *Plan) accountDefaults() {
	t := p.tree
	switch e := p.entry; {
	case e.IsA("user"):
		if e.IsA("computer") {
			p.fallback("userAccountControl", "4130")
		}
		for _, d := range loadUserDefaults() {
			if len(p.current(d.attribute).values) == 0 {
				p.changed[d.attribute] = planned{values: d.values}
			}
		}
		p.fallback("primaryGroupID", defaultPrimaryGroup(p.First("userAccountControl")))
	case e.IsA("group"):
		p.fallback("groupType", "-2147483646") // global, security
	}
	if len(p.Get("objectSid")) == 0 {
		p.Set("objectSid", string(t.sid.WithRID(t.takeRID())))
	}
	t.reserve(SID(p.First("objectSid")))
	p.fallback("sAMAccountName", generatedSAMName())
	p.derive()
}

// defaultPrimaryGroup is Domain Users, Domain Computers or Domain Controllers.
func defaultPrimaryGroup(uac string) string {
	n, _ := parseInteger(uac, 32)
	switch {
	case n&uacServer != 0:
		return "516"
	case n&uacWorkstation != 0:
		return "515"
	default:
		return "513"
	}
}

// generatedSAMName has the form of those that Windows makes: $ABC000-0123456789AB.
func generatedSAMName() string {
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	s := base32.HexEncoding.EncodeToString(b[:])
	return "$" + s[:6] + "-" + s[6:18]
}

// enter makes the planned entry part of the tree.
func (t *Tree) enter(p *Plan, key string) {
	t.place(p, key)
	if t.journal != nil {
		t.journal.Added(p.entry)
	}
}

func (t *Tree) place(p *Plan, key string) {
	e := p.entry
	t.nth++
	e.serial = t.nth
	order := p.order()
	e.fill(order, func(a *Attribute) [][]byte { return p.changed[a].values })
	for _, a := range order {
		if a.IsLink() {
			e.relink(a, p.changed[a].links)
		}
	}
	t.byDN[key] = e
	switch {
	case e.head:
		t.heads = append(t.heads, e)
	case e.parent != nil:
		e.parent.children = append(e.parent.children, e)
	}
	t.index(e, true)
}

// order is a stable order of what the plan changes.
func (p *Plan) order() []*Attribute {
	attributes := make([]*Attribute, 0, len(p.changed))
	for a := range p.changed {
		attributes = append(attributes, a)
	}
	slices.SortFunc(attributes, byName)
	return attributes
}

// Delete removes an entry without children. Its error is an *Error.
func (t *Tree) Delete(e *Entry) error {
	if err := t.judgeDelete(e); err != nil {
		return err
	}
	if e.HasChildren() {
		return errNonLeaf.about(nil)
	}
	t.remove(e)
	if t.journal != nil {
		t.journal.Deleted(e)
	}
	return nil
}

func (t *Tree) remove(e *Entry) {
	detach(e)
	t.index(e, false)
	delete(t.byDN, e.dn.key())
	e.parent.children = without(e.parent.children, e)
	t.usn++
	t.bury(e)
}

// DeleteTree removes an entry with all below it, or nothing if one of them must stay.
func (t *Tree) DeleteTree(e *Entry) error {
	below := slices.Collect(t.Walk(e, WholeSubtree))
	for _, victim := range below {
		if victim.First("isCriticalSystemObject") == "TRUE" {
			return errCannotDelete.about(nil)
		}
		if err := t.judgeDelete(victim); err != nil {
			return err
		}
	}
	for _, victim := range slices.Backward(below) {
		if err := t.Delete(victim); err != nil {
			return err
		}
	}
	return nil
}
