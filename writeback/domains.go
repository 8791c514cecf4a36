package writeback

// The directories of a configuration: which domains, by which controllers, under which account.

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/jcmturner/gokrb5/v8/keytab"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// A Directory is one domain that the agent serves.
type Directory struct {
	Domain   string        `yaml:"domain"`   // DNS name
	Servers  []string      `yaml:"servers"`  // host or host:port, by preference; empty: DNS SRV
	Site     string        `yaml:"site"`     // whose controllers are preferred among those of DNS; empty: this host's, as a controller tells
	StartTLS bool          `yaml:"starttls"` // LDAP on port 389 that becomes TLS; default false: LDAPS on 636
	CAFile   string        `yaml:"ca_file"`  // PEM; empty: the system's
	Bind     DirectoryBind `yaml:"bind"`     // the account that the agent signs in with
}

// A DirectoryBind is how the agent signs in to a domain.
type DirectoryBind struct {
	User         string `yaml:"user"`          // a DN, UPN or DOMAIN\name; for gssapi sAMAccountName@domain
	PasswordFile string `yaml:"password_file"` // a path, or the name of a systemd credential
	Method       string `yaml:"method"`        // simple or gssapi (Kerberos); default simple
	KeytabFile   string `yaml:"keytab_file"`   // for gssapi, in place of the password; as password_file
}

const (
	bindSimple = "simple"
	bindGSSAPI = "gssapi"
)

var (
	domainName = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+$`)
	siteName   = regexp.MustCompile(`^[A-Za-z0-9_-]{0,63}$`)
)

func (c *Config) validateDirectories() error {
	if len(c.Directories) == 0 {
		return errors.New("directories: none given; want at least one domain")
	}
	seen := map[string]bool{}
	for i := range c.Directories {
		d, key := &c.Directories[i], fmt.Sprintf("directories[%d].", i)
		name := strings.ToLower(d.Domain)
		switch {
		case !domainName.MatchString(d.Domain):
			return badValue(key+"domain", d.Domain, "a DNS name, such as corp.example")
		case seen[name]:
			return badValue(key+"domain", d.Domain, "each domain once")
		case !siteName.MatchString(d.Site):
			return badValue(key+"site", d.Site, "the name of an Active Directory site")
		}
		for _, s := range d.Servers {
			if s == "" || strings.ContainsAny(s, "/@ ") {
				return badValue(key+"servers", s, "host or host:port")
			}
		}
		if err := d.Bind.validate(key+"bind.", d.Domain); err != nil {
			return err
		}
		seen[name] = true
	}
	return nil
}

func (b *DirectoryBind) validate(key, domain string) error {
	if b.Method == "" {
		b.Method = bindSimple
	}
	switch {
	case b.User == "":
		return badValue(key+"user", b.User, "a DN, a user principal name or DOMAIN\\name")
	case !slices.Contains([]string{bindSimple, bindGSSAPI}, b.Method):
		return badValue(key+"method", b.Method, bindSimple+", "+bindGSSAPI)
	case b.KeytabFile != "" && b.Method != bindGSSAPI:
		return badValue(key+"keytab_file", b.KeytabFile, "none without method: "+bindGSSAPI)
	case b.KeytabFile != "" && b.PasswordFile != "":
		return errors.New(key + "keytab_file: want it or password_file, not both")
	case b.KeytabFile == "" && b.PasswordFile == "":
		return badValue(key+"password_file", b.PasswordFile, "a file, or the name of a systemd credential")
	}
	if b.Method != bindGSSAPI {
		return nil
	}
	if _, err := directory.Principal(b.User, domain); err != nil {
		return badValue(key+"user", b.User, "sAMAccountName@"+domain+", whose ticket the domain gives")
	}
	return nil
}

// A login is what a DirectoryBind's file holds: one of the two.
type login struct {
	password protocol.Secret
	keytab   *keytab.Keytab
}

// read reads the file. Its error names the key.
func (b DirectoryBind) read() (l login, err error) {
	if b.KeytabFile == "" {
		if l.password, err = readSecret(b.PasswordFile); err != nil {
			return l, fmt.Errorf("bind.password_file: %w", err)
		}
		return l, nil
	}
	text, err := readGuarded(b.KeytabFile)
	if err == nil {
		l.keytab, err = directory.ParseKeytab(text)
	}
	if err != nil {
		return l, fmt.Errorf("bind.keytab_file: %w", err)
	}
	return l, nil
}
