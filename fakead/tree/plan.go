package tree

// Changing an entry: a Plan gathers what a modify operation asks for and what follows from it, is judged on the
// way, and is either committed as a whole or dropped (MS-ADTS 3.1.1.5.3).

import (
	"bytes"
	"errors"
	"slices"
)

// An Op is what a change does to an attribute, with the numbers of RFC 4511.
type Op int

// The operations of a change.
const (
	AddValues Op = iota
	DeleteValues
	ReplaceValues
)

// A Change is one element of a modify operation.
type Change struct {
	Op Op
	Value
}

// Rules widen what Apply accepts.
type Rules struct {
	Permissive bool // LDAP_SERVER_PERMISSIVE_MODIFY: adding what is there and deleting what is not are no errors
	System     bool // the directory's own change: attributes that are system only, or the SAM's, may be written
}

// A Plan is a change of one entry that has not happened yet. Nothing else may change the tree before Commit.
type Plan struct {
	tree    *Tree
	entry   *Entry
	changed map[*Attribute]planned
	after   []func() // what a commit does to other entries

	adds        bool // the entry is a new one
	followsKind bool // the primary group changes because the kind of account does
}

// planned holds the values that an attribute will have: links for a link, else values.
type planned struct {
	values [][]byte
	links  []*Entry
}

// Plan starts a change of e.
func (t *Tree) Plan(e *Entry) *Plan {
	return &Plan{tree: t, entry: e, changed: map[*Attribute]planned{}}
}

// Entry is what the plan changes, as it is before.
func (p *Plan) Entry() *Entry { return p.entry }

// Get returns the values that an attribute will have.
func (p *Plan) Get(name string) [][]byte {
	a := LookupAttribute(name)
	if a == nil {
		return nil
	}
	if now, ok := p.changed[a]; ok && a.IsLink() {
		return names(now.links)
	} else if ok {
		return now.values
	}
	return p.entry.values(a)
}

// First returns the first value that an attribute will have, or nothing.
func (p *Plan) First(name string) string {
	if values := p.Get(name); len(values) > 0 {
		return string(values[0])
	}
	return ""
}

// Changes tells whether the plan gives an attribute other values than it has.
func (p *Plan) Changes(name string) bool {
	a := LookupAttribute(name)
	return a != nil && p.moves(a)
}

func (p *Plan) moves(a *Attribute) bool {
	now, ok := p.changed[a]
	if !ok {
		return false
	}
	if a.IsLink() {
		return !slices.Equal(now.links, p.entry.links[a])
	}
	return !slices.EqualFunc(now.values, p.entry.values(a), bytes.Equal)
}

// Set is the directory's own writing: it replaces the values of an attribute that is no link, unjudged.
func (p *Plan) Set(name string, values ...string) {
	p.changed[mustAttribute(name)] = planned{values: Strings(name, values...).Values}
}

// Share is Set of values that other entries may hold too; nobody changes them.
func (p *Plan) Share(name string, values [][]byte) {
	p.changed[mustAttribute(name)] = planned{values: values}
}

// Apply takes a client's changes into the plan, one after the other. After an error, an *Error, the plan has to
// be dropped.
func (p *Plan) Apply(changes []Change, rules Rules) error {
	for _, c := range changes {
		if err := p.apply(c, rules); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) apply(c Change, rules Rules) error {
	a := LookupAttribute(c.Name)
	if a == nil {
		return errNoSuchAttributeType.about(nil)
	}
	if c.Op == AddValues && len(c.Values) == 0 {
		return errNoValues.about(a)
	}
	if a.Name == "distinguishedName" && !rules.System {
		if c.Op == ReplaceValues {
			return errItsName.about(a)
		}
		return errUnwilling.about(a)
	}
	if err := p.writable(a, rules); err != nil {
		return err
	}
	if a.IsLink() {
		return p.applyLinks(a, c, rules)
	}
	given, err := p.tree.parseValues(a, c.Values)
	if err != nil {
		return err
	}
	now := p.current(a).values
	switch c.Op {
	case AddValues:
		now, err = withValues(a, now, given, rules)
	case DeleteValues:
		now, err = withoutValues(a, now, given, rules)
	default:
		now, err = withValues(a, nil, given, rules)
	}
	if err != nil {
		return err
	}
	// MS-ADA1 says that description is multi-valued; the SAM lets an account that is there have no second one.
	switch {
	case len(now) < 2:
	case a.Single && p.adds:
		return errManyValues.about(a)
	case a.Single, a.Name == "description" && p.entry.isAccount() && !p.adds:
		return errSingleValued.about(a)
	}
	if a.Name == "fSMORoleOwner" && c.Op == ReplaceValues && len(now) == 0 {
		return errIllegalChange.about(a) // while deleting its value is allowed
	}
	if a.Name == "objectClass" && !rules.System {
		return p.setClasses(now)
	}
	p.changed[a] = planned{values: now}
	return nil
}

// setClasses lets auxiliary classes come and go: the structural class stays what it is.
func (p *Plan) setClasses(given [][]byte) error {
	specific, names, err := objectClasses([]Value{{Name: "objectClass", Values: given}})
	if err != nil {
		return err
	}
	if specific != p.entry.Class() {
		return errIllegalChange.about(mustAttribute("objectClass"))
	}
	p.Set("objectClass", names...)
	return nil
}

// current is what an attribute would have if the plan ended here.
func (p *Plan) current(a *Attribute) planned {
	if now, ok := p.changed[a]; ok {
		return now
	}
	if a.IsLink() {
		return planned{links: p.entry.links[a]}
	}
	return planned{values: p.entry.values(a)}
}

// writable judges whether a client may write an attribute at all, on this entry.
func (p *Plan) writable(a *Attribute, rules Rules) error {
	owned := !rules.System && p.entry.ownedBySAM(a)
	switch {
	case a.Constructed:
		return errConstructed.about(a)
	case a.IsBackLink() && !owned:
		return errBackLink.about(a)
	case rules.System:
		return nil
	case a.Name == "name", a == LookupAttribute(p.entry.dn[0].Type):
		return errOnRDN.about(a)
	case owned:
		return errOwnedBySAM.about(a)
	case ofSAMObjects[a.Name] && !p.entry.isOfSAM():
		return errIllegalChange.about(a)
	case a.SystemOnly && a.Name != "objectClass":
		return errSystemOnly.about(a)
	case !p.allows(a):
		return errNotInClass.about(a)
	default:
		return nil
	}
}

// parseValues turns what a client wrote into stored values, and judges syntax and range. No syntax takes a value
// of no bytes.
func (t *Tree) parseValues(a *Attribute, values [][]byte) ([][]byte, error) {
	parsed := make([][]byte, len(values))
	for i, v := range values {
		if a.Syntax == SyntaxDN {
			v = t.plainDN(v)
		}
		stored, err := a.Syntax.parse(v)
		if errors.Is(err, ErrDNSyntax) && len(v) > 0 {
			return nil, errBadName.about(a)
		}
		if err != nil || len(v) == 0 {
			return nil, errSyntax.about(a)
		}
		if !a.inRange(stored) {
			return nil, outOfRange(a)
		}
		parsed[i] = stored
	}
	return parsed, nil
}

// plainDN turns an extended name into the DN of what it names.
func (t *Tree) plainDN(value []byte) []byte {
	if form, id, ok := extendedForm(string(value)); ok {
		if e, _ := t.extended(form, id); e != nil {
			return []byte(e.dn.String())
		}
	}
	return value
}

// withValues returns now and given together.
func withValues(a *Attribute, now, given [][]byte, rules Rules) ([][]byte, error) {
	if len(now) == 0 && len(given) == 1 {
		return given, nil // as nearly always
	}
	seen := make(map[string]bool, len(now)+len(given))
	for _, v := range now {
		seen[a.Syntax.key(v)] = true
	}
	result := slices.Clip(now)
	for _, v := range given {
		key := a.Syntax.key(v)
		if !seen[key] {
			seen[key] = true
			result = append(result, v)
		} else if !rules.Permissive {
			return nil, errValueExists.about(a)
		}
	}
	return result, nil
}

// withoutValues returns now without what is given; without all of it if nothing is.
func withoutValues(a *Attribute, now, given [][]byte, rules Rules) ([][]byte, error) {
	if len(given) == 0 {
		if len(now) == 0 && !rules.Permissive {
			return nil, errNoSuchAttribute.about(a)
		}
		return nil, nil
	}
	result := slices.Clone(now)
	for _, v := range given {
		key := a.Syntax.key(v)
		i := slices.IndexFunc(result, func(have []byte) bool { return a.Syntax.key(have) == key })
		if i >= 0 {
			result = slices.Delete(result, i, i+1)
		} else if !rules.Permissive {
			return nil, errNoSuchValue.about(a)
		}
	}
	return result, nil
}

// Commit judges the entry as it will be and makes the change, all of it or, with an *Error, nothing. uSNChanged
// and whenChanged move if a replicated attribute gets other values than it had.
func (p *Plan) Commit() error {
	p.derive()
	if err := p.judge(); err != nil {
		return err
	}
	t, e := p.tree, p.entry
	moved := slices.DeleteFunc(p.order(), func(a *Attribute) bool { return !p.moves(a) })
	if slices.ContainsFunc(moved, func(a *Attribute) bool { return !a.NotReplicated }) {
		t.touch(e)
	}
	for _, a := range moved {
		t.replace(e, a, p.changed[a])
	}
	for _, follow := range p.after {
		follow()
	}
	return nil
}

// store replaces values and keeps the indexes right.
func (t *Tree) store(e *Entry, a *Attribute, values [][]byte) {
	x := t.indexes[a]
	if x != nil {
		for v := range e.texts(a) {
			x.leave(e, a.Syntax.keyText(v))
		}
	}
	e.put(a, values)
	if x != nil {
		for _, v := range values {
			x.enter(e, a.Syntax.key(v))
		}
	}
}

// touch records a replicated change.
func (t *Tree) touch(e *Entry) {
	t.usn++
	e.put(mustAttribute("uSNChanged"), Strings("", formatInt(t.usn)).Values)
	e.put(mustAttribute("whenChanged"), Strings("", FormatTime(t.now())).Values)
}

// Set is the directory's own change of one attribute that is no link, unjudged.
func (t *Tree) Set(e *Entry, name string, values ...string) {
	p := t.Plan(e)
	p.Set(name, values...)
	a := mustAttribute(name)
	if p.moves(a) {
		if !a.NotReplicated {
			t.touch(e)
		}
		t.replace(e, a, p.changed[a])
	}
}

// Put is a change that every domain controller makes by itself, so that neither uSNChanged nor whenChanged moves.
// Other entries may hold the same values; nobody changes them.
func (t *Tree) Put(e *Entry, name string, values [][]byte) { t.store(e, mustAttribute(name), values) }

// Modify makes a client's changes at once. Its error is an *Error.
func (t *Tree) Modify(e *Entry, changes []Change, rules Rules) error {
	p := t.Plan(e)
	if err := p.Apply(changes, rules); err != nil {
		return err
	}
	return p.Commit()
}
