package fakead

// A new domain: what is there before anything is added. The containers, the configuration and what they say are
// in domain.ldif, the accounts in a table of their own, the schema's objects follow from the schema.

import (
	"crypto/rand"
	_ "embed" // domain.ldif
	"encoding/binary"
	"fmt"

	"passback/fakead/tree"
)

//go:embed domain.ldif
var newDomain string

// levels are what an operating system stands for: the functional level of a new forest, and the version of the
// schema that it brings.
var levels = map[string]struct{ functional, schema int }{
	"2012R2": {6, 69}, "2016": {7, 87}, "2019": {7, 88}, "2022": {7, 88}, "2025": {10, 91},
}

// createDomain fills the tree, and adds what Options.LDIF holds.
func (s *Server) createDomain(o Options) error {
	var content ldifFile
	if o.LDIF != nil {
		var err error
		if content, err = readLDIF(o.LDIF); err != nil {
			return fmt.Errorf("read the domain's LDIF: %w", err)
		}
		defer content.close()
	}
	base, err := tree.ParseDN(s.BaseDN())
	if err != nil {
		return fmt.Errorf("name the domain: %w", err)
	}
	s.tree = tree.New(s.treeOptions(base, domainSID(base, content.first)))
	if err := s.createStructure(); err != nil {
		return fmt.Errorf("create the domain: %w", err)
	}
	if err := s.createAccounts(); err != nil {
		return fmt.Errorf("create the domain's accounts: %w", err)
	}
	writePolicy(s.tree, s.head(), DefaultPolicy())
	s.givePassword(s.tree.BySAM("Administrator"), s.adminPassword)
	s.givePassword(s.tree.BySAM("krbtgt"), rand.Text())
	s.descriptors.initial = false
	unknown, err := s.importLDIF(content)
	if err != nil {
		return fmt.Errorf("add the domain's LDIF: %w", err)
	}
	s.tree.CountWrites()
	s.settings = s.tree.Find(base.Child("CN", "System").Child("CN", "Password Settings Container")).GUID()
	if len(unknown) > 0 {
		s.log.Warn("the LDIF names what the schema does not know; it was left out", "names", unknown)
	}
	return nil
}

func (s *Server) treeOptions(base tree.DN, sid tree.SID) tree.Options {
	return tree.Options{Base: base, DomainSID: sid, Now: s.clock.Now, Protect: s.protectNew}
}

// domainSID is that of an exported domain, so that its accounts keep theirs, or a new one.
func domainSID(base tree.DN, records []*ldifRecord) tree.SID {
	for _, r := range records {
		if sid := r.get("objectSid"); r.dn.Equal(base) && len(sid) == 1 {
			if parsed, err := tree.ParseSID(string(sid[0])); err == nil {
				return parsed
			}
		}
	}
	var b [12]byte
	_, _ = rand.Read(b[:]) // never fails, by its documentation
	sid := tree.MustParseSID("S-1-5-21")
	for i := 0; i < len(b); i += 4 {
		sid = sid.WithRID(binary.LittleEndian.Uint32(b[i:]))
	}
	return sid
}

func (s *Server) createStructure() error {
	if err := s.fill(newDomain+"\n"+newSite+"\n"+newDC, s); err != nil {
		return err
	}
	return s.createSchemaObjects()
}

// givePassword sets a password that nobody judges.
func (s *Server) givePassword(e *tree.Entry, secret string) {
	account := loadAccount(e)
	before := *account
	account.Set(s.policyFor(e), s.clock.Now(), secret, false)
	saveAccount(s.setter(e), &before, account)
}
