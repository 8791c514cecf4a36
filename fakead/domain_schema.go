package fakead

// CN=Schema: an object for each attribute and class that the fake knows (MS-ADTS 3.1.1.2.3 and 3.1.1.2.4), the
// subschema that rootDSE names, and CN=Deleted Objects of each naming context.

import (
	"strconv"

	"passback/fakead/tree"
)

// hiddenClass are objects that consoles show only in their advanced view.
var hiddenClass = tree.Strings("showInAdvancedViewOnly", "TRUE")

const (
	baseSchemaObject = 0x10 // of systemFlags: the object came with Windows
	notReplicated    = 0x1
	constructed      = 0x4
	confidential     = 0x80 // of searchFlags
	inANR            = 0x4
)

// createSchemaObjects leaves the objects for when somebody looks at the schema: they are most of a new domain.
func (s *Server) createSchemaObjects() error {
	for _, context := range []tree.DN{s.tree.Base(), s.tree.ConfigurationDN()} {
		err := s.create(context.Child("CN", "Deleted Objects"), "container", hiddenClass,
			tree.Strings("isDeleted", "TRUE"), tree.Strings("isCriticalSystemObject", "TRUE"), tree.Strings("systemFlags", "-1946157056"))
		if err != nil {
			return err
		}
	}
	const subschema = 1
	s.tree.Later(s.tree.Find(s.tree.SchemaDN()), len(tree.Attributes())+len(tree.Classes())+subschema, func() {
		if err := s.fillSchema(); err != nil {
			s.log.Error("the schema's objects could not be made", "error", err)
		}
	})
	return nil
}

func (s *Server) fillSchema() error {
	schema := s.tree.SchemaDN()
	for _, a := range tree.Attributes() {
		if err := s.create(schema.Child("CN", a.CN), "attributeSchema", attributeObject(a)...); err != nil {
			return err
		}
	}
	for _, c := range tree.Classes() {
		if err := s.create(schema.Child("CN", c.CN), "classSchema", classObject(c, schema)...); err != nil {
			return err
		}
	}
	return s.create(schema.Child("CN", "Aggregate"), "subSchema", hiddenClass)
}

func attributeObject(a *tree.Attribute) []tree.Value {
	syntax, om := a.Syntax.OIDs()
	system := baseSchemaObject
	search := 0
	for _, flag := range []struct {
		set   bool
		bits  int
		field *int
	}{{a.NotReplicated, notReplicated, &system}, {a.Constructed, constructed, &system}, {a.Confidential, confidential, &search}, {a.ANR, inANR, &search}} {
		if flag.set {
			*flag.field |= flag.bits
		}
	}
	values := []tree.Value{
		hiddenClass,
		tree.Strings("adminDisplayName", a.CN),
		tree.Strings("attributeID", a.OID),
		tree.Strings("attributeSyntax", syntax),
		tree.Strings("isSingleValued", truthValue(a.Single)),
		tree.Strings("lDAPDisplayName", a.Name),
		tree.Strings("oMSyntax", strconv.Itoa(om)),
		tree.Strings("schemaIDGUID", string(a.GUID[:])),
		tree.Strings("searchFlags", strconv.Itoa(search)),
		tree.Strings("systemFlags", strconv.Itoa(system)),
		tree.Strings("systemOnly", truthValue(a.SystemOnly)),
	}
	if a.PartialSet {
		values = append(values, tree.Strings("isMemberOfPartialAttributeSet", truthValue(true)))
	}
	if (a.Set != tree.GUID{}) {
		values = append(values, tree.Strings("attributeSecurityGUID", string(a.Set[:])))
	}
	if a.Link > 0 {
		values = append(values, tree.Strings("linkID", strconv.Itoa(a.Link)))
	}
	if a.Lower != tree.RangeUnset {
		values = append(values, tree.Strings("rangeLower", strconv.Itoa(a.Lower)))
	}
	if a.Upper != tree.RangeUnset {
		values = append(values, tree.Strings("rangeUpper", strconv.Itoa(a.Upper)))
	}
	return values
}

var classCategories = map[string]string{"88class": "0", "structural": "1", "abstract": "2", "auxiliary": "3"}

func classObject(c *tree.Class, schema tree.DN) []tree.Value {
	return []tree.Value{
		hiddenClass,
		tree.Strings("adminDisplayName", c.CN),
		tree.Strings("governsID", c.OID),
		tree.Strings("lDAPDisplayName", c.Name),
		tree.Strings("objectClassCategory", classCategories[c.Kind]),
		tree.Strings("rDNAttID", c.RDN),
		tree.Strings("schemaIDGUID", string(c.GUID[:])),
		tree.Strings("subClassOf", c.Superior),
		tree.Strings("systemFlags", strconv.Itoa(baseSchemaObject)),
		optional("defaultSecurityDescriptor", loadDefaultSDDL().classes[c.Name]),
		tree.Strings("defaultObjectCategory", schema.Child("CN", c.Category).String()),
		tree.Strings("systemAuxiliaryClass", c.Auxiliary...),
		tree.Strings("systemPossSuperiors", c.Containers...),
		tree.Strings("systemMustContain", c.Must...),
		tree.Strings("systemMayContain", c.May...),
	}
}

func truthValue(b bool) string {
	if b {
		return "TRUE"
	}
	return "FALSE"
}
