package fakead

// Making entries of LDIF records. An entry that is there already, such as the domain's head or Administrator, is
// merged: what the record says of an attribute replaces what is there, but for links, to which it adds.
// What a directory says of itself (USNs, back links, security descriptors, computed attributes) is dropped; what
// the SAM owns (identifiers, times, counters) is kept. Links are made last, so that the order of records matters
// only for parents. Of a whole domain the records say all: what is beside them is taken away (ldifwhole.go).

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// droppedFromLDIF are attributes that are stored, and that the fake makes itself.
var droppedFromLDIF = map[string]bool{
	"distinguishedName": true, "name": true, "objectClass": true, "instanceType": true, "uSNCreated": true, "uSNChanged": true,
	"nTSecurityDescriptor": true, "dSCorePropagationData": true, "replPropertyMetaData": true, "sAMAccountType": true,
	"objectCategory": true, "lastKnownParent": true, "repsFrom": true, "repsTo": true, "replUpToDateVector": true,
}

// keptInMerge are attributes of entries that are there already by which the fake finds its own server and containers.
var keptInMerge = map[string]bool{"fSMORoleOwner": true, "rIDManagerReference": true, "wellKnownObjects": true, "otherWellKnownObjects": true, "subRefs": true}

// An ldifImport turns records into entries.
type ldifImport struct {
	server  *Server
	whole   bool            // what no record says is not there
	heads   []tree.DN       // records of these names make naming contexts
	unknown map[string]bool // names that the schema does not know
	leftOut []tree.DN
	links   []ldifLink
	named   map[*tree.Entry]bool // by a record of a whole domain
}

// An ldifLink is a link to be made when all entries are there.
type ldifLink struct {
	line   int
	entry  *tree.Entry
	name   string
	values [][]byte
}

// importLDIF adds or merges all records. It returns the names that the schema does not know: such attributes are
// left out, and entries of such classes with all below them. Its error is an *LDIFError.
func (s *Server) importLDIF(content ldifFile) (unknown []string, err error) {
	im := ldifImport{
		server:  s,
		whole:   content.whole,
		heads:   []tree.DN{s.tree.Base(), s.tree.ConfigurationDN(), s.tree.SchemaDN()},
		unknown: map[string]bool{},
		named:   map[*tree.Entry]bool{},
	}
	for r, err := range content.records() {
		if err != nil {
			return nil, err
		}
		if err := im.record(r); err != nil {
			return nil, &LDIFError{Line: r.line, Err: err}
		}
	}
	if im.whole {
		im.removeOthers()
	}
	for _, l := range im.links {
		if err := im.link(l); err != nil {
			return nil, &LDIFError{Line: l.line, Err: err}
		}
	}
	return slices.Sorted(maps.Keys(im.unknown)), nil
}

func (im *ldifImport) record(r *ldifRecord) error {
	t := im.server.tree
	if !r.dn.Under(t.Base()) {
		return fmt.Errorf("%s lies outside %s", r.dn, t.Base())
	}
	values, known := im.sift(r)
	e := t.Find(r.dn)
	if e == nil && (!known || im.belowLeftOut(r.dn)) {
		im.leftOut = append(im.leftOut, r.dn)
		return nil
	}
	var err error
	if e == nil {
		e, err = im.add(r, values)
	} else {
		err = im.merge(e, r, values)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", r.dn, err)
	}
	if im.whole {
		im.named[e] = true
	}
	im.noteLinks(e, r)
	return im.secure(e, r)
}

func (im *ldifImport) belowLeftOut(dn tree.DN) bool {
	return slices.ContainsFunc(im.leftOut, dn.Under)
}

// sift separates links and what has to go from values to be stored; false if the record is of an unknown
// class, or of a deleted entry.
func (im *ldifImport) sift(r *ldifRecord) (values []tree.Value, known bool) {
	known = len(r.get("isDeleted")) == 0
	for _, name := range r.get("objectClass") {
		if tree.LookupClass(string(name)) == nil {
			im.unknown[string(name)] = true
			known = false
		}
	}
	const furtherValues = 3 // that add adds: objectClass and the password
	values = make([]tree.Value, 0, len(r.values)+furtherValues)
	for _, v := range r.values {
		a := tree.LookupAttribute(v.Name)
		switch {
		case a == nil:
			im.unknown[v.Name] = true
		case a.Constructed, a.IsBackLink(), a.NeverReadable, droppedFromLDIF[a.Name], a.IsLink(), len(v.Values[0]) == 0:
		default:
			values = append(values, v)
		}
	}
	return values, known
}

func (im *ldifImport) add(r *ldifRecord, values []tree.Value) (*tree.Entry, error) {
	t := im.server.tree
	values = append(values, tree.Value{Name: "objectClass", Values: r.get("objectClass")})
	if secret, ok, err := r.password(); err != nil {
		return nil, err
	} else if ok && namesUser(r.get("objectClass")) {
		values = im.withPassword(values, secret)
	}
	if slices.ContainsFunc(im.heads, r.dn.Equal) {
		return t.AddHead(r.dn, values)
	}
	return t.Add(r.dn, values, tree.Rules{System: true})
}

func (im *ldifImport) merge(e *tree.Entry, r *ldifRecord, values []tree.Value) error {
	var changes []tree.Change
	if im.whole {
		changes = absent(e, r)
	}
	for _, v := range values {
		if im.whole && v.Name == "primaryGroupID" { // its group may not be there yet, and members come last
			im.server.tree.Set(e, v.Name, string(v.Values[0]))
			continue
		}
		if a := tree.LookupAttribute(v.Name); a != tree.LookupAttribute(e.DN()[0].Type) && !keptInMerge[a.Name] {
			changes = append(changes, tree.Change{Op: tree.ReplaceValues, Value: v})
		}
	}
	if err := im.server.tree.Modify(e, changes, tree.Rules{System: true, Permissive: true}); err != nil {
		return err
	}
	return im.changePassword(e, r)
}

// password is what a record says in unicodePwd; false if it says nothing.
func (r *ldifRecord) password() (secret string, given bool, err error) {
	written := r.get(unicodePwd)
	if len(written) != 1 {
		return "", false, nil
	}
	secret, ok := decodePassword(written[0])
	if !ok {
		return "", false, errors.New("unicodePwd is not a quoted string in UTF-16LE")
	}
	return secret, true, nil
}

// withPassword adds the password of a new account, which leaves pwdLastSet as the record says.
func (im *ldifImport) withPassword(values []tree.Value, secret string) []tree.Value {
	var account password.Account
	account.Set(password.Policy{}, im.server.clock.Now(), secret, false) // a policy says how many old ones are kept: there are none
	dated := slices.ContainsFunc(values, func(v tree.Value) bool { return strings.EqualFold(v.Name, "pwdLastSet") })
	saveAccount(func(name string, written ...string) {
		if name != "pwdLastSet" || !dated {
			values = append(values, tree.Strings(name, written...))
		}
	}, &password.Account{}, &account)
	return values
}

// changePassword gives an account that is there already the password of its record, which leaves pwdLastSet as the
// record says.
func (im *ldifImport) changePassword(e *tree.Entry, r *ldifRecord) error {
	secret, given, err := r.password()
	if err != nil || !given || !e.IsA("user") {
		return err
	}
	im.server.givePassword(e, secret)
	if lastSet := r.get("pwdLastSet"); len(lastSet) == 1 {
		im.server.tree.Set(e, "pwdLastSet", string(lastSet[0]))
	}
	return nil
}

// noteLinks keeps the links of a record for later.
func (im *ldifImport) noteLinks(e *tree.Entry, r *ldifRecord) {
	for _, v := range r.values {
		if a := tree.LookupAttribute(v.Name); a != nil && a.IsLink() {
			im.links = append(im.links, ldifLink{line: r.line, entry: e, name: a.Name, values: v.Values})
		}
	}
}

// link makes links to the targets that exist: an export of a part of a domain names others too.
func (im *ldifImport) link(l ldifLink) error {
	t := im.server.tree
	change := tree.Change{Op: tree.AddValues, Value: tree.Value{Name: l.name}}
	if tree.LookupAttribute(l.name).Single || im.whole {
		change.Op = tree.ReplaceValues
	}
	for _, v := range l.values {
		if _, err := t.Resolve(string(v)); err == nil {
			change.Values = append(change.Values, v)
		} else if !tree.NoSuchObject(err) {
			return fmt.Errorf("%s of %s: %w", l.name, l.entry.DN(), err)
		}
	}
	if len(change.Values) == 0 {
		return nil
	}
	if err := t.Modify(l.entry, []tree.Change{change}, tree.Rules{System: true, Permissive: true}); err != nil {
		return fmt.Errorf("%s of %s: %w", l.name, l.entry.DN(), err)
	}
	return nil
}
