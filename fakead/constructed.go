package fakead

// Constructed attributes (MS-ADTS 3.1.1.4.5), computed when they are asked for by name. Those that follow from a
// password are in account.go. Left out on purpose: those that tell of replication.

import (
	"cmp"
	"slices"
	"strings"

	"passback/fakead/tree"
)

func (s *Server) constructed(req *request, m *searchRequest, e *tree.Entry, name string) [][]byte {
	switch name {
	case "allowedAttributes":
		return toValues(e.AllowedAttributes()...)
	case "allowedAttributesEffective":
		return toValues(s.writableAttributes(req, e)...)
	case "canonicalName":
		return toValues(canonicalName(e.DN()))
	case "createTimeStamp":
		return e.Get("whenCreated")
	case "modifyTimeStamp":
		return e.Get("whenChanged")
	case "msDS-PrincipalName":
		return s.principalName(e)
	case "parentGUID":
		return parentGUID(e)
	case "primaryGroupToken":
		return primaryGroupToken(e)
	case "sDRightsEffective":
		return [][]byte{decimal(int64(s.accessTo(req.session, e).partsWritable()))}
	case "structuralObjectClass":
		return e.Get("objectClass")
	case "subSchemaSubEntry":
		return toValues(s.tree.SchemaDN().Child("CN", "Aggregate").String())
	case "tokenGroups", "tokenGroupsGlobalAndUniversal":
		if m.scope != tree.BaseObject {
			return nil
		}
		return s.tokenGroups(e, name == "tokenGroups")
	default:
		return s.computed(e, name)
	}
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

// tokenGroups are the SIDs of the security groups that e is in, however indirectly.
func (s *Server) tokenGroups(e *tree.Entry, local bool) [][]byte {
	var sids [][]byte
	for group := range s.groupsOf(e) {
		kind, _ := group.Int("groupType")
		if group != e && kind&securityGroup != 0 && (local || kind&domainLocalScope == 0) {
			sids = append(sids, []byte(group.SID()))
		}
	}
	slices.SortFunc(sids, func(a, b []byte) int { return cmp.Compare(tree.SID(a).String(), tree.SID(b).String()) })
	return sids
}
