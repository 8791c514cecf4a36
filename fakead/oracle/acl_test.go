package oracle

// Security descriptors, on both servers by LDAP: written by "acl", read by "sd", in SDDL (MS-DTYP 2.5.1).

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const partDACL = 4 // of the SD flags control

// acl NAME|DN "(ACE)..." puts entries before all others of a DACL.
func setupACL(r *run, st statement) error {
	dn, d, err := r.descriptor(st)
	if err != nil {
		return err
	}
	current, err := r.server.descriptorOf(r.server.admin, dn, partDACL)
	if err != nil {
		return err
	}
	merged := *current
	merged.DACL = &security.ACL{ACEs: slices.Concat(d.DACL.ACEs, current.DACL.ACEs)}
	return r.server.writeDescriptor(r.server.admin, dn, partDACL, &merged)
}

// writesd NAME|DN FLAGS "SDDL" writes a descriptor as who asks; FLAGS is a number, or "none" for no control.
func requestWriteSD(r *run, st statement) (answer, error) {
	if err := need(st, 3); err != nil {
		return answer{}, err
	}
	dn, d, err := r.descriptor(statement{verb: st.verb, args: []token{st.args[0], st.args[2]}})
	if err != nil {
		return answer{}, err
	}
	flags, _ := strconv.Atoi(st.args[1].text)
	return answerOf(r.server.writeDescriptor(r.conn, dn, flags, d))
}

// sd NAME|DN FLAGS reads a descriptor as who asks: owner and group, and those ACEs of the DACL that are not inherited.
func requestSD(r *run, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	flags, _ := strconv.Atoi(st.args[1].text)
	d, err := r.server.descriptorOf(r.conn, dn, flags)
	if err != nil {
		return answerOf(err)
	}
	if d == nil {
		return answer{code: "0", rest: "none"}, nil
	}
	d.Control &= security.DACLProtected
	d.SACL = nil
	if d.DACL != nil {
		d.DACL.ACEs = slices.DeleteFunc(d.DACL.ACEs, func(a security.ACE) bool { return a.Flags&security.Inherited != 0 })
	}
	text := d.SDDL(r.server.domainSID())
	for _, a := range r.accounts {
		if sid, err := r.server.sidOf(a); err == nil && len(sid) > 0 {
			text = strings.ReplaceAll(text, tree.SID(sid).String(), a.name)
		}
	}
	return answer{code: "0", rest: text}, nil
}

// descriptor reads a target and SDDL, in which {name} stands for the identifier of an account.
func (r *run) descriptor(st statement) (string, *security.Descriptor, error) {
	if err := need(st, 2); err != nil {
		return "", nil, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return "", nil, err
	}
	text := st.args[1].text
	if strings.HasPrefix(text, "(") {
		text = "D:" + text
	}
	for _, a := range r.accounts {
		if !strings.Contains(text, "{"+a.name+"}") {
			continue
		}
		sid, err := r.server.sidOf(a)
		if err != nil {
			return "", nil, err
		}
		text = strings.ReplaceAll(text, "{"+a.name+"}", tree.SID(sid).String())
	}
	d, err := security.ParseSDDL(text, r.server.domainSID())
	return dn, d, err
}

func (s *server) domainSID() tree.SID {
	e, err := s.entry(s.base, "objectSid")
	if err != nil {
		return ""
	}
	return tree.SID(e.GetRawAttributeValue("objectSid"))
}

// descriptorOf reads parts of a descriptor; nil if there is none to be seen.
func (s *server) descriptorOf(c *ldap.Conn, dn string, flags int) (*security.Descriptor, error) {
	found, err := c.Search(ldap.NewSearchRequest(dn, ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"nTSecurityDescriptor"}, sdFlags(flags)))
	if err != nil {
		return nil, err
	}
	if len(found.Entries) == 0 || len(found.Entries[0].Attributes) == 0 {
		return nil, nil
	}
	return security.Parse(found.Entries[0].GetRawAttributeValue("nTSecurityDescriptor"))
}

func (s *server) writeDescriptor(c *ldap.Conn, dn string, flags int, d *security.Descriptor) error {
	value, err := d.Marshal()
	if err != nil {
		return fmt.Errorf("write a descriptor: %w", err)
	}
	m := ldap.NewModifyRequest(dn, sdFlags(flags))
	m.Replace("nTSecurityDescriptor", []string{string(value)})
	return c.Modify(m)
}

// sdFlags is LDAP_SERVER_SD_FLAGS_OID; none for 0.
func sdFlags(flags int) []ldap.Control {
	if flags == 0 {
		return nil
	}
	value := ber.NewSequence("")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, flags, ""))
	return []ldap.Control{ldap.NewControlString("1.2.840.113556.1.4.801", true, string(value.Bytes()))}
}
