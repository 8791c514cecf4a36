package sim

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// world.yaml, for a sandbox other than the built-in one. Every key may be left out; unknown ones are refused.
//
//	listen: 127.0.0.1
//	ports: {ldap: 10389, ldaps: 10636, amqp: 5672, amqps: 5671, https: 10443, web: 8470}
//	domain: corp.example
//	netbios: CORP
//	without_agent: false
//	empty_company: false
//	second_relay: false
//	directory:                    # instead of the built-in one
//	  url: ldaps://dc1.corp.test
//	  domain: corp.test
//	  ca_file: dc.pem             # empty: the system's
//	  bind: {user: svc-writeback@corp.test, password_file: bind.secret}
//	settings:                     # of the tenant: what is named replaces the default
//	  sspr: all
//	  writeback: true
type worldFile struct {
	Listen       string         `yaml:"listen"`
	Ports        Ports          `yaml:"ports"`
	Domain       string         `yaml:"domain"`
	NetBIOS      string         `yaml:"netbios"`
	WithoutAgent bool           `yaml:"without_agent"`
	EmptyCompany bool           `yaml:"empty_company"`
	SecondRelay  bool           `yaml:"second_relay"`
	Directory    *directoryFile `yaml:"directory"`
	Settings     yaml.Node      `yaml:"settings"`
}

type directoryFile struct {
	URL    string `yaml:"url"`
	Domain string `yaml:"domain"`
	CAFile string `yaml:"ca_file"`
	Bind   struct {
		User         string `yaml:"user"`
		PasswordFile string `yaml:"password_file"`
	} `yaml:"bind"`
}

// maxConfig is far more than a world needs.
const maxConfig = 1 << 20

// LoadOptions reads world.yaml. Relative paths are taken from its folder; ports that it does not name are those of
// DefaultPorts.
func LoadOptions(path string) (Options, error) {
	text, err := readLimited(path)
	if err != nil {
		return Options{}, fmt.Errorf("read the world's configuration: %w", err)
	}
	f := worldFile{Ports: DefaultPorts()}
	if err := strict(text, &f); err != nil {
		return Options{}, fmt.Errorf("%s: %w", path, err)
	}
	o := Options{
		Listen: f.Listen, Ports: f.Ports, Domain: f.Domain, NetBIOS: f.NetBIOS,
		WithoutAgent: f.WithoutAgent, EmptyCompany: f.EmptyCompany, SecondRelay: f.SecondRelay,
	}
	if f.Directory != nil {
		if o.External, err = f.Directory.external(filepath.Dir(path)); err != nil {
			return Options{}, fmt.Errorf("%s: directory: %w", path, err)
		}
	}
	if !f.Settings.IsZero() {
		if o.Settings, err = f.settings(); err != nil {
			return Options{}, fmt.Errorf("%s: settings: %w", path, err)
		}
	}
	return o, nil
}

func (d directoryFile) external(dir string) (*ExternalDirectory, error) {
	for _, p := range []*string{&d.CAFile, &d.Bind.PasswordFile} {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
	e := &ExternalDirectory{URL: d.URL, Domain: d.Domain, CAFile: d.CAFile, BindUser: d.Bind.User}
	if d.Bind.PasswordFile == "" {
		return nil, errors.New("bind.password_file is missing: secrets are given by file only")
	}
	text, err := readLimited(d.Bind.PasswordFile)
	if err != nil {
		return nil, fmt.Errorf("bind.password_file: %w", err)
	}
	e.Password = protocol.NewSecret(strings.TrimRight(string(text), "\r\n"))
	return e, nil
}

func (f worldFile) settings() (*cloud.Settings, error) {
	domain := f.Domain
	if domain == "" {
		domain = defaultDomain
	}
	s := defaultSettings(domain)
	text, err := yaml.Marshal(&f.Settings)
	if err != nil {
		return nil, fmt.Errorf("read them: %w", err)
	}
	if err := strict(text, &s); err != nil { // Node.Decode would let unknown keys pass
		return nil, err
	}
	return &s, nil
}

func strict(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("cannot be read: %w", err)
	}
	return nil
}

func readLimited(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // *fs.PathError says it all
	}
	if info.Size() > maxConfig {
		return nil, fmt.Errorf("%s: %d bytes, at most %d", path, info.Size(), maxConfig)
	}
	return os.ReadFile(path) //nolint:wrapcheck // *fs.PathError says it all
}

func poolFrom(path string) (*x509.CertPool, error) {
	text, err := readLimited(path)
	if err != nil {
		return nil, fmt.Errorf("the directory's authority: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", path)
	}
	return pool, nil
}
