package fakead

// The security descriptors that nobody wrote: those of classes, and those that objects of a new domain have
// (MS-ADSC; MS-ADTS 6.1.1). They are in defaultsecurity.txt.

import (
	_ "embed" // the table
	"fmt"
	"regexp"
	"strings"
	"sync"

	"passback/fakead/security"
	"passback/fakead/tree"
)

//go:embed defaultsecurity.txt
var defaultSecurityTable string

// defaultSDDL holds SDDL by the name of a class, or by the DN of an object with {base} and {config} for its end.
type defaultSDDL struct{ classes, objects map[string]string }

var loadDefaultSDDL = sync.OnceValue(func() defaultSDDL {
	d := defaultSDDL{classes: map[string]string{}, objects: map[string]string{}}
	of := d.classes
	var names []string
	begun := false // the lines of SDDL for names have begun
	for line := range strings.Lines(defaultSecurityTable) {
		kind, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch {
		case kind == "#" || rest == "":
		case kind == "":
			begun = true
			for _, name := range names {
				of[name] += expandSDDL(rest)
			}
		default:
			if begun {
				names, begun = nil, false
			}
			of = map[string]map[string]string{"class": d.classes, "object": d.objects}[kind]
			if kind == "object" {
				names = append(names, rest)
			} else {
				names = append(names, strings.Fields(rest)...)
			}
		}
	}
	return d
})

var named = regexp.MustCompile(`\{[\w-]+\}`)

// expandSDDL turns a line of the table into SDDL.
func expandSDDL(line string) string {
	line = strings.NewReplacer(" ", "", "$full", "CCDCLCSWRPWPDTLOCRSDRCWDWO", "$read", "LCRPLORC").Replace(line)
	return named.ReplaceAllStringFunc(line, func(name string) string {
		name = name[1 : len(name)-1]
		if text, ok := extendedRights[name]; ok {
			return text
		}
		if g, ok := tree.PropertySet(name); ok {
			return g.String()
		}
		if c := tree.LookupClass(name); c != nil {
			return c.GUID.String()
		}
		if a := tree.LookupAttribute(name); a != nil {
			return a.GUID.String()
		}
		panic("the table of default security names " + name) // a mistake in this program
	})
}

// defaultSecurity is what a class gives its objects; nothing for one that the table does not name.
func (s *Server) defaultSecurity(class *tree.Class) *security.Descriptor {
	d := s.descriptors.classes[class]
	if d == nil {
		d = s.mustSDDL(loadDefaultSDDL().classes[class.Name])
		s.descriptors.classes[class] = d
	}
	return d
}

// initialSecurity is what an object of a new domain has of its own instead, nil if its class says it all.
func (s *Server) initialSecurity(e *tree.Entry) *security.Descriptor {
	name := e.DN().String()
	for _, end := range []struct{ dn, short string }{{s.tree.ConfigurationDN().String(), "{config}"}, {s.BaseDN(), "{base}"}} {
		if rest, ok := strings.CutSuffix(name, end.dn); ok {
			name = rest + end.short
			break
		}
	}
	text, ok := loadDefaultSDDL().objects[name]
	if !ok {
		return nil
	}
	d := s.mustSDDL(text)
	if d.DACL == nil {
		class := s.defaultSecurity(e.Class())
		return class.With(d, security.PartOwner|security.PartGroup)
	}
	return d
}

func (s *Server) mustSDDL(text string) *security.Descriptor {
	d, err := security.ParseSDDL(text, s.tree.DomainSID())
	if err != nil {
		panic(fmt.Sprintf("the table of default security: %v", err)) // a mistake in this program, which a test reads
	}
	return d
}
