package writeback

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"passback/clock"
	"passback/writeback/protocol"
)

// A Config is agent.yaml, and what a process that runs the agent within itself gives besides.
type Config struct {
	Cloud       string        `yaml:"cloud"`         // the enrolment URL, https
	CloudCAFile string        `yaml:"cloud_ca_file"` // PEM, for the cloud and its relays; empty: the system's
	StateDir    string        `yaml:"state_dir"`     // mode 0700: key and enrolment
	Proxy       string        `yaml:"proxy"`         // http(s)://host:port, for cloud and relays; empty: HTTPS_PROXY
	ProxyAuth   Bind          `yaml:"proxy_auth"`    // the account at that proxy (Basic); empty: none
	Mode        protocol.Mode `yaml:"mode"`          // active or staging; default active
	Directories []Directory   `yaml:"directories"`
	Limits      Limits        `yaml:"limits"` // requests a minute
	Log         Log           `yaml:"log"`
	OTLP        string        `yaml:"otlp"` // https://host of an OpenTelemetry collector; empty: nothing is pushed

	Logger *slog.Logger `yaml:"-"` // default: to stderr, as Log says
	Clock  clock.Clock  `yaml:"-"` // domain time: renewal of the enrolment, age of the key; default clock.Real()
	// FirstBeatDelay is how long after its first beat as active an agent that is not the only one begins to receive.
	// Default: protocol.FirstBeatDelay; tests with several agents cannot wait for that.
	FirstBeatDelay time.Duration `yaml:"-"`
	// DialLDAP opens TCP connections to domain controllers. Default: net.Dialer.
	DialLDAP func(ctx context.Context, network, addr string) (net.Conn, error) `yaml:"-"`
	// DialRelay opens TCP connections to the cloud, its relays and the proxy. Default: net.Dialer.
	DialRelay func(ctx context.Context, network, addr string) (net.Conn, error) `yaml:"-"`
}

// A Bind is an account to sign in with, with its password in a file.
type Bind struct {
	User         string `yaml:"user"`
	PasswordFile string `yaml:"password_file"` // a path, or the name of a systemd credential
}

// Log says what is logged and how.
type Log struct {
	Level  string `yaml:"level"`  // debug, info, warn or error; default info
	Format string `yaml:"format"` // text, json or auto; default auto: text on a terminal, else json
}

// maxConfig is far more than a configuration needs.
const maxConfig = 1 << 20

// LoadConfig reads agent.yaml. Unknown keys are refused; relative paths are taken from the file's folder. An error
// names the key, its value and what is allowed.
func LoadConfig(path string) (Config, error) {
	text, err := readLimited(path, maxConfig)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	var c Config
	if err := decodeYAML(text, &c); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	dir, err := filepath.Abs(filepath.Dir(path))
	if err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	c.resolve(dir)
	if err := c.validate(); err != nil {
		return Config{}, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

// resolve makes the paths of a configuration file absolute.
func (c *Config) resolve(dir string) {
	paths := []*string{&c.CloudCAFile, &c.StateDir}
	secrets := []*string{&c.ProxyAuth.PasswordFile}
	for i := range c.Directories {
		d := &c.Directories[i]
		paths, secrets = append(paths, &d.CAFile), append(secrets, &d.Bind.PasswordFile, &d.Bind.KeytabFile)
	}
	for _, s := range secrets {
		if !isCredential(*s) {
			paths = append(paths, s)
		}
	}
	for _, p := range paths {
		if *p != "" && !filepath.IsAbs(*p) {
			*p = filepath.Join(dir, *p)
		}
	}
}

// defaults fills in what may be left out.
func (c *Config) defaults() {
	if c.Mode == "" {
		c.Mode = protocol.Active
	}
	if c.Log.Level == "" {
		c.Log.Level = "info"
	}
	if c.Log.Format == "" {
		c.Log.Format = "auto"
	}
	c.Limits.defaults()
	if c.Clock == nil {
		c.Clock = clock.Real()
	}
	if c.FirstBeatDelay == 0 {
		c.FirstBeatDelay = protocol.FirstBeatDelay
	}
}

func (c *Config) validate() error {
	c.defaults()
	if u, err := url.Parse(c.Cloud); err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return badValue("cloud", withoutUser(c.Cloud), "the enrolment URL, https://host/path without a password")
	}
	if err := errors.Join(c.Limits.validate(), c.validateProxy(), c.validateOTLP()); err != nil {
		return err
	}
	if c.StateDir == "" {
		return badValue("state_dir", c.StateDir, "a folder that only the agent may read")
	}
	for _, choice := range []struct {
		key, value string
		allowed    []string
	}{
		{"mode", string(c.Mode), []string{"active", "staging"}},
		{"log.level", c.Log.Level, []string{"debug", "info", "warn", "error"}},
		{"log.format", c.Log.Format, []string{"auto", "text", "json"}},
	} {
		if !slices.Contains(choice.allowed, choice.value) {
			return badValue(choice.key, choice.value, strings.Join(choice.allowed, ", "))
		}
	}
	return c.validateDirectories()
}

func badValue(key, value, allowed string) error {
	return fmt.Errorf("%s: %.100q is not allowed; want %s", key, value, allowed)
}

// roots reads a PEM file; nil, the system's, for no file.
func roots(path string) (*x509.CertPool, error) {
	if path == "" {
		return nil, nil
	}
	text, err := readLimited(path, maxConfig)
	if err != nil {
		return nil, fmt.Errorf("read the certificate authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: holds no certificate in PEM", path)
	}
	return pool, nil
}

// isCredential reports whether name is one that systemd passed to this service (systemd.exec(5), LoadCredential).
func isCredential(name string) bool {
	dir := os.Getenv("CREDENTIALS_DIRECTORY")
	if dir == "" || name == "" || name != filepath.Base(name) {
		return false
	}
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

// readSecret reads a file that holds a secret, less its line end.
func readSecret(path string) (protocol.Secret, error) {
	text, err := readGuarded(path)
	if err != nil {
		return protocol.Secret{}, err
	}
	secret := protocol.NewSecret(strings.TrimRight(string(text), "\r\n"))
	if secret.Empty() {
		return secret, fmt.Errorf("%s: is empty; want a secret", path)
	}
	return secret, nil
}

// readGuarded reads a file that holds secrets. One that everybody may read is refused.
func readGuarded(path string) ([]byte, error) {
	if isCredential(path) {
		path = filepath.Join(os.Getenv("CREDENTIALS_DIRECTORY"), path)
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read a secret: %w", err)
	}
	if isOpen(info.Mode(), 0o007) {
		return nil, fmt.Errorf("%s: everybody may read it (mode %04o); make it 0600", path, info.Mode().Perm())
	}
	const maxSecret = 4 << 10
	text, err := readLimited(path, maxSecret)
	if err != nil {
		return nil, fmt.Errorf("read a secret: %w", err)
	}
	return text, nil
}

// readLimited reads a whole file of at most limit bytes.
func readLimited(path string, limit int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // *fs.PathError says it all, and every caller says what for
	}
	if info.Size() > limit {
		return nil, &fs.PathError{Op: "read", Path: path, Err: fmt.Errorf("%d bytes, at most %d", info.Size(), limit)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err //nolint:wrapcheck // as above
	}
	return text, nil
}
