package fakead

// Promotion: a domain controller that joins a domain begins with a partner's content (MS-ADTS 6.1.1.2.2.1 and 6.1.5).
// Its account, and its objects in the configuration, are made on that partner and reach the others by replication.

import (
	"crypto/rand"
	_ "embed" // site.ldif, dc.ldif, rodc.ldif
	"encoding/base64"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"passback/fakead/tree"
)

//go:embed site.ldif
var newSite string

//go:embed dc.ldif
var newDC string

//go:embed rodc.ldif
var newRODC string

// Promote adds a domain controller to the domain.
func (f *Forest) Promote(dc DC) (*Server, error) {
	o := f.options
	o.LDAPPort, o.LDAPSPort, o.GCPort, o.GCSPort = min(o.LDAPPort, 0), min(o.LDAPSPort, 0), min(o.GCPort, 0), min(o.GCSPort, 0)
	o.LDIF, o.Audit = nil, nil
	o.Host, o.Site = dc.Host, dc.Site
	if o.Host == "" {
		o.Host = f.freeHost()
	}
	if dc.OS != "" {
		o.OS = dc.OS
	}
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	source := f.writable()
	switch {
	case f.DC(o.Host) != nil:
		return nil, fmt.Errorf("promote %s: there is a domain controller of that name", o.Host)
	case source == nil:
		return nil, fmt.Errorf("promote %s: %w", o.Host, errUnreachable)
	}
	s := prepare(o)
	s.forest, s.readOnly = f, dc.ReadOnly
	s.setLocation(dc)
	if err := s.replicaOf(source); err != nil {
		return nil, fmt.Errorf("promote %s: %w", o.Host, err)
	}
	if err := s.listen(o); err != nil {
		return nil, err
	}
	f.join(s)
	s.start()
	return s, nil
}

// writable is a domain controller that others can be made from.
func (f *Forest) writable() *Server {
	for _, s := range f.DCs() {
		if !s.readOnly && !s.down.Load() {
			return s
		}
	}
	return nil
}

// replicaOf makes s what it is after its promotion with the help of source.
func (s *Server) replicaOf(source *Server) error {
	source.mu.Lock()
	defer source.unlock()
	source.startReplicating()
	source.shareRIDs()
	if err := source.addController(s); err != nil {
		return err
	}
	s.tree = source.tree.Replica(s.treeOptions(source.tree.Base(), source.tree.DomainSID()))
	s.tree.AllocateRIDs(0, s.forest.allocateRIDs)
	s.settings = source.settings
	s.keyVersions = maps.Clone(source.keyVersions)
	s.descriptors.initial = false
	usn := s.tree.USN()
	s.replica = replica{metadata: source.replica.metadata.As(s.invocation, usn, s.baseline), watermarks: maps.Clone(source.replica.watermarks), first: source.replica.first}
	s.replica.watermarks[source.invocation] = usn
	if s.readOnly {
		s.forgetSecrets()
	} else {
		s.tree.SetJournal(journal{s})
	}
	return nil
}

// shareRIDs lets the pool in use end where the next one begins.
func (s *Server) shareRIDs() {
	f := s.forest
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.rids == 0 {
		f.rids = s.tree.NextRID() + ridPoolSize
		s.tree.AllocateRIDs(f.rids, f.allocateRIDs)
	}
}

// addController makes the objects of another domain controller, and its site if that is new.
func (s *Server) addController(dc *Server) error {
	objects := newDC
	if dc.readOnly {
		objects = newRODC
	}
	if s.tree.Find(tree.MustParseDN("CN="+dc.site+",CN=Sites,CN=Configuration,"+s.BaseDN())) == nil {
		objects = newSite + "\n" + objects
	}
	if err := dc.createComputer(s); err != nil {
		return err
	}
	return s.fill(objects, dc)
}

// fill makes the objects of one of the LDIF files of this package, for dc.
func (s *Server) fill(objects string, dc *Server) error {
	level := levels[s.os]
	filled := strings.NewReplacer(
		"{base}", s.BaseDN(), "{config}", "CN=Configuration,"+s.BaseDN(), "{dns}", s.domain, "{netbios}", s.netbios, "{sid}", s.tree.DomainSID().String(),
		"{dc}", dc.settingsDN(), "{server}", dc.serverDN(), "{computer}", dc.computerDN(), "{host}", dc.HostName(), "{site}", dc.site,
		"{level}", strconv.Itoa(level.functional), "{schema}", strconv.Itoa(level.schema),
		"{created}", strconv.FormatInt(fileTime(s.clock.Now()), 10), "{invocation}", base64.StdEncoding.EncodeToString(dc.invocation[:]),
	).Replace(objects)
	content, err := readLDIF(strings.NewReader(filled))
	if err != nil {
		return err
	}
	defer content.close()
	_, err = s.importLDIF(content)
	return err
}

// createComputer makes the domain controller's account, in the directory of one that is there.
func (s *Server) createComputer(in *Server) error {
	name, host := s.computerName(), s.HostName()
	control, group := 0x82000, ridDomainControllers // a server, trusted for delegation
	if s.readOnly {
		control, group = 0x5001000, ridReadOnlyControllers // a workstation with partial secrets, trusted to authenticate for delegation
	}
	values := []tree.Value{
		tree.Strings("sAMAccountName", name+"$"),
		tree.Strings("userAccountControl", strconv.Itoa(control)),
		tree.Strings("primaryGroupID", strconv.Itoa(group)),
		tree.Strings("dNSHostName", host),
		tree.Strings("operatingSystem", "Windows Server "+s.os),
		tree.Strings("servicePrincipalName", "HOST/"+name, "HOST/"+host, "ldap/"+name, "ldap/"+host, "ldap/"+host+"/"+s.domain),
		tree.Strings("isCriticalSystemObject", "TRUE"),
	}
	if in == s {
		values = append(values, tree.Strings("objectSid", s.tree.DomainSID().WithRID(ridFirstController).String()))
	}
	if err := in.create(tree.MustParseDN(s.computerDN()), "computer", values...); err != nil {
		return err
	}
	account := in.tree.BySAM(name + "$")
	in.givePassword(account, rand.Text())
	if s.readOnly {
		return in.createRevealGroups(account)
	}
	return nil
}

const ridFirstController = 1000
