package fakead

// Constructed attributes (MS-ADTS 3.1.1.4.5), computed when they are asked for by name. Those that follow from a
// password are in account.go, those of the subschema in subschema.go. Those that tell of replication are in
// replicationmetadata.go.

import (
	"cmp"
	"slices"
	"strings"

	"passback/fakead/security"
	"passback/fakead/tree"
)

// A reading is one entry on its way into an answer.
type reading struct {
	*Server
	req   *request
	scope tree.Scope
	entry *tree.Entry
	asked selected
}

// A constructor computes the values of an attribute.
type constructor struct {
	compute func(reading) [][]byte
	note    string // for SUPPORTED.md
}

// constructors are the constructed attributes that there are; the schema's others have no values.
var constructors = map[string]constructor{
	"allowedAttributes":                   {compute: func(r reading) [][]byte { return toValues(r.entry.AllowedAttributes()...) }},
	"allowedAttributesEffective":          {compute: func(r reading) [][]byte { return toValues(r.writableAttributes(r.req, r.entry)...) }},
	"allowedChildClasses":                 {compute: func(r reading) [][]byte { return toValues(r.childClasses(false)...) }},
	"allowedChildClassesEffective":        {compute: func(r reading) [][]byte { return toValues(r.childClasses(true)...) }},
	"attributeTypes":                      {compute: reading.attributeTypes},
	"canonicalName":                       {compute: func(r reading) [][]byte { return toValues(canonicalName(r.entry.DN())) }},
	"createTimeStamp":                     {compute: func(r reading) [][]byte { return r.entry.Get("whenCreated") }},
	"fromEntry":                           {compute: func(reading) [][]byte { return toValues("TRUE") }},
	"modifyTimeStamp":                     {compute: func(r reading) [][]byte { return r.entry.Get("whenChanged") }},
	"msDS-Approx-Immed-Subordinates":      {compute: reading.subordinates, note: "exact"},
	"msDS-KeyVersionNumber":               {compute: reading.keyVersion},
	"msds-memberOfTransitive":             {compute: func(r reading) [][]byte { return r.transitive("memberOf") }, note: "in searches of one entry, as Windows"},
	"msds-memberTransitive":               {compute: func(r reading) [][]byte { return r.transitive("member") }, note: "in searches of one entry, as Windows"},
	"msDS-parentdistname":                 {compute: parentName},
	"msDS-PrincipalName":                  {compute: func(r reading) [][]byte { return r.principalName(r.entry) }},
	"msDS-ResultantPSO":                   {compute: reading.resultantPSO},
	"msDS-User-Account-Control-Computed":  {compute: reading.computedControl},
	"msDS-UserPasswordExpiryTimeComputed": {compute: reading.expiryTime},
	attributeMetadata:                     {compute: reading.attributeMetadata, note: "as XML, with ;binary as DS_REPL_ATTR_META_DATA_BLOB"},
	valueMetadata:                         {compute: reading.valueMetadata, note: "as XML, with ;binary as DS_REPL_VALUE_META_DATA_BLOB"},
	"objectClasses":                       {compute: reading.objectClasses},
	"parentGUID":                          {compute: func(r reading) [][]byte { return parentGUID(r.entry) }},
	"primaryGroupToken":                   {compute: func(r reading) [][]byte { return primaryGroupToken(r.entry) }},
	"sDRightsEffective": {compute: func(r reading) [][]byte {
		return [][]byte{decimal(int64(r.accessTo(r.req.session, r.entry).partsWritable()))}
	}},
	"structuralObjectClass": {compute: func(r reading) [][]byte { return r.entry.Get("objectClass") }},
	"subSchemaSubEntry": {compute: func(r reading) [][]byte {
		return toValues(r.tree.SchemaDN().Child("CN", "Aggregate").String())
	}},
	"tokenGroups":                   {compute: func(r reading) [][]byte { return r.tokenGroups(true) }, note: "in searches of one entry, as Windows"},
	"tokenGroupsNoGCAcceptable":     {compute: func(r reading) [][]byte { return r.tokenGroups(true) }, note: "in searches of one entry, as Windows"},
	"tokenGroupsGlobalAndUniversal": {compute: func(r reading) [][]byte { return r.tokenGroups(false) }, note: "in searches of one entry, as Windows"},
}

// constructed computes an attribute when it is asked for by name.
func (s *Server) constructed(req *request, m *searchRequest, e *tree.Entry, one selected) [][]byte {
	if c, ok := constructors[one.attribute.Name]; ok {
		return c.compute(reading{s, req, m.scope, e, one})
	}
	return nil
}

func toValues(texts ...string) [][]byte { return tree.Strings("", texts...).Values }

// writableAttributes are those that the caller may write on e.
func (s *Server) writableAttributes(req *request, e *tree.Entry) []string {
	access := s.accessTo(req.session, e)
	return slices.DeleteFunc(e.AllowedAttributes(), func(name string) bool {
		a := tree.LookupAttribute(name)
		return a.SystemOnly || a.Constructed || a.OwnedBySAM || !access.writes(a)
	})
}

// childClasses are the classes that may lie below the entry, or those of them that the caller may make.
func (r reading) childClasses(effective bool) []string {
	access := r.accessTo(r.req.session, r.entry)
	var names []string
	for _, c := range tree.Classes() {
		if c.Under(r.entry) && (!effective || access.grants.Has(security.CreateChild, access.class, c.GUID)) {
			names = append(names, c.Name)
		}
	}
	return names
}

func (r reading) subordinates() [][]byte {
	children := int64(0)
	for range r.tree.Walk(r.entry, tree.SingleLevel) {
		children++
	}
	return [][]byte{decimal(children)}
}

// transitive are the names of all that a link leads to, however indirectly.
func (r reading) transitive(link string) [][]byte {
	if r.scope != tree.BaseObject {
		return nil
	}
	var names []string
	seen := map[*tree.Entry]bool{r.entry: true}
	for open := r.entry.Linked(link); len(open) > 0; {
		e := open[0]
		open = open[1:]
		if !seen[e] {
			seen[e] = true
			names = append(names, e.DN().String())
			open = append(slices.Clip(open), e.Linked(link)...)
		}
	}
	return toValues(names...)
}

func parentName(r reading) [][]byte {
	if r.entry.Parent() == nil {
		return nil
	}
	return toValues(r.entry.Parent().DN().String())
}

// canonicalName is corp.example/Users/Alice, with a slash at the end for a naming context of a domain.
func canonicalName(dn tree.DN) string {
	var path, domain []string
	for _, rdn := range dn {
		if strings.EqualFold(rdn.Type, "DC") {
			domain = append(domain, rdn.Value)
		} else {
			path = append(path, strings.ReplaceAll(rdn.Value, "/", `\/`))
		}
	}
	slices.Reverse(path)
	return strings.Join(domain, ".") + "/" + strings.Join(path, "/")
}

func (s *Server) principalName(e *tree.Entry) [][]byte {
	if e.SID() == "" {
		return nil
	}
	name := e.First("sAMAccountName")
	switch {
	case name == "":
		return toValues(e.SID().String())
	case e.DN().Under(s.tree.Base().Child("CN", "Builtin")):
		return toValues(`BUILTIN\` + name)
	default:
		return toValues(s.netbios + `\` + name)
	}
}

func parentGUID(e *tree.Entry) [][]byte {
	if e.Parent() == nil {
		return nil
	}
	return e.Parent().Get("objectGUID")
}

func primaryGroupToken(e *tree.Entry) [][]byte {
	if !e.IsA("group") {
		return nil
	}
	_, rid := e.SID().RID()
	return [][]byte{decimal(int64(rid))}
}

const (
	securityGroup    = 0x80000000 // of groupType
	domainLocalScope = 0x4
)

// tokenGroups are the SIDs of the security groups that the entry is in, however indirectly.
func (r reading) tokenGroups(local bool) [][]byte {
	if r.scope != tree.BaseObject {
		return nil
	}
	var sids [][]byte
	for group := range r.groupsOf(r.entry) {
		kind, _ := group.Int("groupType")
		if group != r.entry && kind&securityGroup != 0 && (local || kind&domainLocalScope == 0) {
			sids = append(sids, []byte(group.SID()))
		}
	}
	slices.SortFunc(sids, func(a, b []byte) int { return cmp.Compare(tree.SID(a).String(), tree.SID(b).String()) })
	return sids
}
