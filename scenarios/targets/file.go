// Package targets holds the Targets that are made of a sim.World: the cloud and the relay are always the world's own;
// the directory is a fakead or any Active Directory that an administrator lets us seed by LDAP; the agent runs within
// the world or as a process of its own.
package targets

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"passback/writeback/protocol"
)

// A File is a target file:
//
//	directory: fakead            # or:
//	directory:
//	  url: ldaps://dc1.corp.test
//	  ca_file: ca.pem            # empty: the system's
//	  domain: corp.test
//	  admin_dn: CN=Administrator,CN=Users,DC=corp,DC=test
//	  admin_password_file: admin.secret
//	  agent_account: delegated   # or administrator, who needs no rights to be delegated
//	  yes_this_is_real: false    # true for a domain that is not below a test name
//	agent: world                 # or:
//	agent:
//	  command: [bin/passback-agent]
//
// Unknown keys are refused; relative paths are taken from the file's folder. The zero File is fakead and world.
type File struct {
	Directory Directory `yaml:"directory"`
	Agent     Agent     `yaml:"agent"`
}

// A Directory is where passwords are written to. Without a URL it is a fakead, a new one for each scenario.
type Directory struct {
	URL               string `yaml:"url"`
	CAFile            string `yaml:"ca_file"`
	Domain            string `yaml:"domain"`
	AdminDN           string `yaml:"admin_dn"`
	AdminPasswordFile string `yaml:"admin_password_file"`
	AgentAccount      string `yaml:"agent_account"` // delegated, the default, or administrator
	Real              bool   `yaml:"yes_this_is_real"`
}

// An Agent is how the agents run. Without a command they run within the world.
type Agent struct {
	// Command starts an agent: the words of agent.yaml's verbs (enroll, run) and flags are added to it.
	Command []string `yaml:"command"`
}

const (
	kindFake  = "fakead"
	kindWorld = "world"

	accountDelegated     = "delegated"
	accountAdministrator = "administrator"
)

// maxFile is far more than a target needs.
const maxFile = 64 << 10

// Load reads a target file.
func Load(path string) (File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return File{}, fmt.Errorf("read the target: %w", err)
	}
	if info.Size() > maxFile {
		return File{}, fmt.Errorf("%s: %d bytes, at most %d", path, info.Size(), maxFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return File{}, fmt.Errorf("read the target: %w", err)
	}
	var f File
	if err := strictly(text, &f); err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	f.resolve(filepath.Dir(path))
	if err := f.Directory.validate(); err != nil {
		return File{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func strictly(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("not a target: %w", err)
	}
	return nil
}

// word reads a node that may be one word instead of a mapping. Node.Decode would forget to refuse unknown keys.
func word(node *yaml.Node, name string, into any) error {
	if node.Kind == yaml.ScalarNode {
		if node.Value != name {
			return fmt.Errorf("line %d: %q is not allowed; want %s, or its keys", node.Line, node.Value, name)
		}
		return nil
	}
	text, err := yaml.Marshal(node)
	if err != nil {
		return fmt.Errorf("line %d: %w", node.Line, err)
	}
	return strictly(text, into)
}

// UnmarshalYAML takes the word fakead, or the keys.
func (d *Directory) UnmarshalYAML(node *yaml.Node) error {
	type keys Directory
	return word(node, kindFake, (*keys)(d))
}

// UnmarshalYAML takes the word world, or the keys.
func (a *Agent) UnmarshalYAML(node *yaml.Node) error {
	type keys Agent
	return word(node, kindWorld, (*keys)(a))
}

// resolve makes paths absolute; a command without a slash is looked for in PATH.
func (f *File) resolve(dir string) {
	for _, p := range []*string{&f.Directory.CAFile, &f.Directory.AdminPasswordFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	if c := f.Agent.Command; len(c) > 0 && strings.Contains(c[0], "/") && !filepath.IsAbs(c[0]) {
		c[0] = filepath.Join(dir, c[0])
	}
}

var testNames = []string{".example", ".test", ".lan", ".local", ".localhost"}

func (d *Directory) validate() error {
	if d.URL == "" {
		if *d != (Directory{}) {
			return fmt.Errorf("directory.url: missing; want ldaps://host")
		}
		return nil
	}
	u, err := url.Parse(d.URL)
	switch {
	case err != nil || u.Scheme != "ldaps" || u.Hostname() == "":
		return fmt.Errorf("directory.url: %q is not allowed; want ldaps://host or ldaps://host:port, since passwords are set", d.URL)
	case d.Domain == "" || d.AdminDN == "" || d.AdminPasswordFile == "":
		return fmt.Errorf("directory: domain, admin_dn and admin_password_file are needed with a url")
	}
	if d.AgentAccount == "" {
		d.AgentAccount = accountDelegated
	}
	if d.AgentAccount != accountDelegated && d.AgentAccount != accountAdministrator {
		return fmt.Errorf("directory.agent_account: %q is not allowed; want %s or %s", d.AgentAccount, accountDelegated, accountAdministrator)
	}
	for _, suffix := range testNames {
		if strings.HasSuffix("."+strings.ToLower(d.Domain), suffix) {
			return nil
		}
	}
	if !d.Real {
		return fmt.Errorf("directory.domain: %s is not below a test name (%s): people are seeded there and its password policy is changed; "+
			"set yes_this_is_real: true if that is meant", d.Domain, strings.Join(testNames, " "))
	}
	return nil
}

func (d *Directory) password() (protocol.Secret, error) {
	text, err := os.ReadFile(d.AdminPasswordFile)
	if err != nil {
		return protocol.Secret{}, fmt.Errorf("read the administrator's password: %w", err)
	}
	password := protocol.NewSecret(strings.TrimRight(string(text), "\r\n"))
	if password.Empty() {
		return password, fmt.Errorf("%s: is empty; want the administrator's password", d.AdminPasswordFile)
	}
	return password, nil
}
