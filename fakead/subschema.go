package fakead

// CN=Aggregate, the subschema that rootDSE names: descriptions of attributes and classes (RFC 4512 4.1.1 and 4.1.2) as a
// domain controller writes them (MS-ADTS 3.1.1.3.1.1). Left out on purpose: dITContentRules and the extended forms.

import (
	"fmt"
	"strings"

	"passback/fakead/tree"
)

func (r reading) isSubschema() bool { return r.entry.IsA("subSchema") }

func (r reading) attributeTypes() [][]byte {
	if !r.isSubschema() {
		return nil
	}
	var all []string
	for _, a := range tree.Attributes() {
		text := fmt.Sprintf("( %s NAME '%s' SYNTAX '%s'", a.OID, a.Name, a.Syntax.LDAP())
		if a.Single {
			text += " SINGLE-VALUE"
		}
		if a.SystemOnly {
			text += " NO-USER-MODIFICATION"
		}
		all = append(all, text+" )")
	}
	return toValues(all...)
}

func (r reading) objectClasses() [][]byte {
	if !r.isSubschema() {
		return nil
	}
	kinds := map[string]string{"abstract": " ABSTRACT", "auxiliary": " AUXILIARY", "structural": " STRUCTURAL"}
	var all []string
	for _, c := range tree.Classes() {
		text := fmt.Sprintf("( %s NAME '%s'", c.OID, c.Name)
		if c.Superior != c.Name {
			text += " SUP " + c.Superior
		}
		all = append(all, text+kinds[c.Kind]+list("MUST", c.Must)+list("MAY", c.May)+" )")
	}
	return toValues(all...)
}

// list writes names as RFC 4512 has them: KEYWORD (a $ b ).
func list(keyword string, names []string) string {
	if len(names) == 0 {
		return ""
	}
	return fmt.Sprintf(" %s (%s )", keyword, strings.Join(names, " $ "))
}
