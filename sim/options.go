package sim

import (
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"passback/sim/cloud"
	"passback/writeback"
	"passback/writeback/protocol"
)

// Options of a World. The zero value works: the built-in company, an agent within the process, free ports.
type Options struct {
	Listen string // IP address; default 127.0.0.1
	Ports  Ports  // default: free ones; DefaultPorts are the sandbox's

	Domain  string // of the built-in directory; default corp.example
	NetBIOS string // default: the first label of Domain in capitals

	Settings *cloud.Settings    // of the tenant; default: cloud.DefaultSettings, with the domain fed.<Domain> federated
	External *ExternalDirectory // instead of the built-in directory; default: none

	WithoutAgent bool          // an agent is to be enrolled from outside
	Unconfigured bool          // nothing is synchronised, and no agent enrolled
	EmptyCompany bool          // nobody but the service account is in the directory, and only the administrator in the cloud
	SecondRelay  bool          // a second namespace, which agents listen on too
	RequestLock  time.Duration // of the queue of requests; default protocol.LockDuration

	// Limits of the agents. Default: so many that nobody who tries things out comes near them, unlike an agent's own.
	Limits writeback.Limits
	// FirstBeatDelay is how long an agent that is not the only one waits, after its first beat, before it receives. Default:
	// protocol.FirstBeatDelay, for which tests with several agents cannot wait.
	FirstBeatDelay time.Duration

	Dir    string       // for what an agent of its own process needs; default: a temporary one, removed by Close
	Logger *slog.Logger // default: discards
}

// Ports to listen on; 0 picks a free one.
type Ports struct {
	LDAP  int `yaml:"ldap"`
	LDAPS int `yaml:"ldaps"`
	AMQP  int `yaml:"amqp"`
	AMQPS int `yaml:"amqps"`
	HTTPS int `yaml:"https"` // of the relay
	Web   int `yaml:"web"`   // Graph, enrolment, pages
}

// DefaultPorts are those of the sandbox.
func DefaultPorts() Ports {
	return Ports{LDAP: 10389, LDAPS: 10636, AMQP: 5672, AMQPS: 5671, HTTPS: 10443, Web: 8470}
}

// An ExternalDirectory is an Active Directory domain that the world reads users from and writes passwords to.
type ExternalDirectory struct {
	URL           string          // ldaps://host:port, or ldap://host:port for StartTLS
	Domain        string          // DNS name
	CAFile        string          // PEM; default: the system's
	BindUser      string          // UPN or DN of an account with the rights of a writeback service account
	Password      protocol.Secret // of BindUser
	YesThisIsReal bool            // required for a name that is not one of tests
}

const (
	defaultDomain = "corp.example"
	unlimited     = 1_000_000 // requests a minute
)

func defaultSettings(domain string) cloud.Settings {
	s := cloud.DefaultSettings()
	s.FederatedDomains = []string{federatedDomain(domain)}
	return s
}

// testNames are suffixes and names that no real directory has.
var testNames = []string{".example", ".test", ".lan", ".local", ".localhost"}

// TestName reports whether a host is one of tests: below .example, .test, .lan or .local, or loopback.
func TestName(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if ip := net.ParseIP(host); ip != nil {
		return ip.IsLoopback()
	}
	return host == "localhost" || slices.ContainsFunc(testNames, func(suffix string) bool { return strings.HasSuffix(host, suffix) })
}

func (e ExternalDirectory) check() error {
	u, err := url.Parse(e.URL)
	if err != nil || u.Scheme != "ldap" && u.Scheme != "ldaps" || u.Hostname() == "" || u.User != nil {
		return fmt.Errorf("directory url %q: want ldaps://host:port or ldap://host:port, without a password", e.URL)
	}
	if ofTests := TestName(u.Hostname()) && TestName(e.Domain); !ofTests && !e.YesThisIsReal {
		return fmt.Errorf("directory %s of the domain %q: passwords of a domain that is not below a test name (%s, loopback) would be changed; "+
			"say --yes-this-is-real if that is meant", u.Host, e.Domain, strings.Join(testNames, ", "))
	}
	for name, value := range map[string]string{"domain": e.Domain, "bind user": e.BindUser, "bind password": e.Password.Reveal()} {
		if value == "" {
			return fmt.Errorf("directory %s: the %s is missing: give it in the directory section of world.yaml", u.Host, name)
		}
	}
	return nil
}

func (o Options) withDefaults() (Options, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	if net.ParseIP(o.Listen) == nil {
		return o, fmt.Errorf("listen address %q is not an IP address, such as 127.0.0.1", o.Listen)
	}
	if o.Domain == "" {
		o.Domain = defaultDomain
	}
	if o.External != nil {
		if err := o.External.check(); err != nil {
			return o, err
		}
		o.Domain = strings.ToLower(o.External.Domain)
	}
	if o.Settings == nil {
		s := defaultSettings(o.Domain)
		o.Settings = &s
	}
	if o.RequestLock == 0 {
		o.RequestLock = protocol.LockDuration
	}
	if o.Limits == (writeback.Limits{}) {
		o.Limits = writeback.Limits{User: unlimited, Total: unlimited}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return o, o.checkPorts()
}

func (o Options) checkPorts() error {
	for name, port := range map[string]int{
		"ldap": o.Ports.LDAP, "ldaps": o.Ports.LDAPS, "amqp": o.Ports.AMQP, "amqps": o.Ports.AMQPS, "https": o.Ports.HTTPS, "web": o.Ports.Web,
	} {
		if port < 0 || port > 65535 {
			return fmt.Errorf("ports.%s: %d is not a port: 0, which picks a free one, to 65535", name, port)
		}
	}
	return nil
}

// makeDir makes the folder for agents' files; remove is content if it is not ours.
func (o Options) makeDir() (dir string, remove func(), err error) {
	if o.Dir != "" {
		if err := os.MkdirAll(o.Dir, 0o700); err != nil {
			return "", nil, fmt.Errorf("make the folder for agents: %w", err)
		}
		return o.Dir, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "passback-")
	if err != nil {
		return "", nil, fmt.Errorf("make a folder for agents: %w", err)
	}
	return dir, func() { _ = os.RemoveAll(dir) }, nil
}

func lower(s string) string { return strings.ToLower(s) }

func domainOf(upn string) string {
	_, domain, _ := strings.Cut(upn, "@")
	return domain
}
