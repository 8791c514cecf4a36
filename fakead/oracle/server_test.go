package oracle

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
	"passback/fakead/security"
)

// A server is one of the two that are asked, with what was last set on it.
type server struct {
	name          string
	ldap, ldaps   string // URLs
	gcs           string // of the global catalog, with TLS
	tls           *tls.Config
	base          string
	domain        string
	netbios       string
	adminPassword string
	admin         *ldap.Conn
	policy        policy
	heuristics    string
	headDACL      *security.Descriptor // of the domain's head, as it was at the start
}

func (s *server) adminDN() string { return "CN=Administrator,CN=Users," + s.base }

// connectReal connects to the domain controller that the environment names.
func connectReal() (*server, error) {
	pem, err := os.ReadFile(os.Getenv("PASSBACK_ORACLE_CA"))
	if err != nil {
		return nil, fmt.Errorf("read PASSBACK_ORACLE_CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("PASSBACK_ORACLE_CA holds no certificate")
	}
	address := os.Getenv("PASSBACK_ORACLE")
	s := &server{
		name: "real", ldap: "ldap://" + address, ldaps: "ldaps://" + address, gcs: "ldaps://" + address + ":3269",
		tls: &tls.Config{RootCAs: pool, ServerName: address}, adminPassword: os.Getenv("PASSBACK_ORACLE_PASSWORD"),
	}
	c, err := ldap.DialURL(s.ldaps, ldap.DialWithTLSConfig(s.tls))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	root, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"defaultNamingContext"}, nil))
	if err != nil {
		return nil, err
	}
	s.base = root.Entries[0].GetAttributeValue("defaultNamingContext")
	s.domain = strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(s.base, "DC="), ",DC=", "."))
	if err := s.login(); err != nil {
		return nil, err
	}
	refs, err := s.admin.Search(ldap.NewSearchRequest("CN=Partitions,CN=Configuration,"+s.base, ldap.ScopeSingleLevel, 0, 0, 0, false, "(nETBIOSName=*)", []string{"nETBIOSName"}, nil))
	if err != nil {
		return nil, err
	}
	s.netbios = refs.Entries[0].GetAttributeValue("nETBIOSName")
	return s, nil
}

// connectFake connects to a fake domain controller of the same names.
func connectFake(dc *fakead.Server) (*server, error) {
	s := &server{
		name: "fake", ldap: dc.LDAPURL(), ldaps: dc.LDAPSURL(), gcs: dc.GCSURL(), tls: &tls.Config{RootCAs: dc.CA().Pool()},
		base: dc.BaseDN(), domain: dc.Domain(), netbios: dc.NetBIOS(), adminPassword: dc.AdminPassword(),
	}
	return s, s.login()
}

// dial opens a connection: "tls" is LDAPS, "clear" is LDAP, "starttls" LDAP with StartTLS, "gc" the global catalog with TLS.
func (s *server) dial(mode string) (*ldap.Conn, error) {
	url := s.ldap
	switch mode {
	case "tls":
		url = s.ldaps
	case "gc":
		url = s.gcs
	}
	c, err := ldap.DialURL(url, ldap.DialWithTLSConfig(s.tls))
	if err != nil {
		return nil, fmt.Errorf("connect to the %s server: %w", s.name, err)
	}
	c.SetTimeout(30 * time.Second)
	if mode == "starttls" {
		config := s.tls.Clone()
		if config.ServerName == "" {
			config.ServerName = "127.0.0.1"
		}
		err = c.StartTLS(config)
	}
	return c, err
}

// container is where the accounts of all questions lie.
func (s *server) container() string { return "OU=oracle," + s.base }

// login binds as administrator and begins with an empty container and known settings.
func (s *server) login() error {
	c, err := s.dial("tls")
	if err != nil {
		return err
	}
	if err := c.Bind(s.adminDN(), s.adminPassword); err != nil {
		return fmt.Errorf("bind as administrator: %w", err)
	}
	s.admin = c
	if err := s.removeBelow(s.container(), "(primaryGroupID>=1000)"); err != nil { // who keep groups from being deleted
		return err
	}
	if err := s.removeTree(s.container()); err != nil {
		return err
	}
	if err := s.removeBelow(s.psoContainer(), "(|(cn=R5*)(cn=S*))"); err != nil {
		return err
	}
	if err := s.addOU(s.container()); err != nil {
		return err
	}
	if err := s.setHeuristics(""); err != nil {
		return err
	}
	if s.headDACL, err = s.descriptorOf(s.admin, s.base, partDACL); err != nil {
		return err
	}
	return s.setPolicy(basePolicy())
}

func (s *server) addOU(dn string) error {
	r := ldap.NewAddRequest(dn, nil)
	r.Attribute("objectClass", []string{"organizationalUnit"})
	if err := s.admin.Add(r); err != nil {
		return fmt.Errorf("add %s: %w", dn, err)
	}
	return nil
}

// removeBelow deletes the entries below a container that match.
func (s *server) removeBelow(container, filter string) error {
	found, err := s.admin.Search(ldap.NewSearchRequest(container, ldap.ScopeWholeSubtree, 0, 0, 0, false, filter, []string{"cn"}, nil))
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return fmt.Errorf("find what an earlier run left below %s: %w", container, err)
	}
	for _, e := range found.Entries {
		if err := s.removeTree(e.DN); err != nil {
			return err
		}
	}
	return nil
}

// removeTree deletes what may be left of an earlier run.
func (s *server) removeTree(dn string) error {
	treeDelete := rawControl{oid: microsoft + "805", critical: true}
	err := s.admin.Del(ldap.NewDelRequest(dn, []ldap.Control{treeDelete}))
	if err != nil && !ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchObject) {
		return fmt.Errorf("delete %s: %w", dn, err)
	}
	return nil
}
