package writeback_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"passback/writeback"
	"passback/writeback/protocol"
)

const goodConfig = `cloud: https://127.0.0.1:8470/enrol
cloud_ca_file: ca.pem
state_dir: state
proxy: ""
mode: active
directories:
  - domain: corp.example
    servers: []
    ca_file: ca.pem
    bind: {user: svc-writeback@corp.example, password_file: bind.secret}
log: {level: info, format: auto}
`

func writeConfig(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "agent.yaml")
	must(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestConfigIsTakenFromItsFolder(t *testing.T) {
	path := writeConfig(t, goodConfig)
	c, err := writeback.LoadConfig(path)
	must(t, err)
	dir := filepath.Dir(path)
	d := c.Directories[0]
	if c.StateDir != filepath.Join(dir, "state") || c.CloudCAFile != filepath.Join(dir, "ca.pem") || d.Bind.PasswordFile != filepath.Join(dir, "bind.secret") {
		t.Errorf("paths are %q, %q, %q", c.StateDir, c.CloudCAFile, d.Bind.PasswordFile)
	}
	if c.Mode != protocol.Active || d.Domain != "corp.example" || d.Bind.User != "svc-writeback@corp.example" {
		t.Errorf("read %+v", c)
	}
}

func TestConfigSaysWhatIsWrong(t *testing.T) {
	for name, c := range map[string]struct{ old, new, want string }{
		"unknown key":             {"mode: active", "mood: active", `line 5: unknown key "mood"; allowed here: cloud, cloud_ca_file, state_dir, proxy, proxy_auth, mode, directories, limits, log`},
		"unknown nested key":      {"password_file: bind.secret", "password: x", `unknown key "directories[0].bind.password"; allowed here: user, password_file, method, keytab_file`},
		"wrong choice":            {"mode: active", "mode: passive", `mode: "passive" is not allowed; want active, staging`},
		"wrong level":             {"level: info", "level: loud", `log.level: "loud" is not allowed; want debug, info, warn, error`},
		"plain HTTP":              {"https://127", "http://127", `cloud: "http://127.0.0.1:8470/enrol" is not allowed`},
		"password in proxy":       {`proxy: ""`, `proxy: "http://u:hunter2@proxy:8080"`, "proxy: a password may not stand in this file"},
		"password in a bad proxy": {`proxy: ""`, `proxy: "http://u:hunter2%zz@proxy:8080"`, `proxy: "[redacted]@proxy:8080" is not allowed`},
		"password in the cloud":   {"https://127", "https://u:hunter2@127", `cloud: "[redacted]@127.0.0.1:8470/enrol" is not allowed`},
		"account of no proxy":     {`proxy: ""`, "proxy: \"\"\nproxy_auth: {user: u, password_file: bind.secret}", "proxy_auth: names an account for a proxy"},
		"no proxy password":       {`proxy: ""`, "proxy: http://proxy:8080\nproxy_auth: {user: u}", "proxy_auth: want both user and password_file"},
		"no proxy scheme":         {`proxy: ""`, `proxy: "proxy:8080"`, `proxy: "proxy:8080" is not allowed`},
		"negative limit":          {"mode: active", "mode: active\nlimits: {user: -1}", "limits: user -1 and total 12000: want a number of requests a minute"},
		"no domain":               {"corp.example\n", "corp\n", `directories[0].domain: "corp" is not allowed; want a DNS name`},
		"no bind":                 {"bind: {user: svc-writeback@corp.example, password_file: bind.secret}", "bind:", "directories[0].bind.user"},
		"no such bind":            {"password_file: bind.secret", "password_file: bind.secret, method: ntlm", `directories[0].bind.method: "ntlm" is not allowed; want simple, gssapi`},
		"a keytab, simple":        {"password_file: bind.secret", "keytab_file: bind.keytab", "directories[0].bind.keytab_file"},
		"a keytab and a password": {"password_file: bind.secret", "password_file: bind.secret, method: gssapi, keytab_file: k", "want it or password_file, not both"},
		"a DN for Kerberos":       {"user: svc-writeback@corp.example, password", `user: "CN=svc", method: gssapi, password`, "want sAMAccountName@corp.example"},
		"another realm":           {"user: svc-writeback@corp.example, password", "user: svc@lab.example, method: gssapi, password", "want sAMAccountName@corp.example"},
		"no site":                 {"servers: []", "servers: []\n    site: Head Office", `directories[0].site: "Head Office" is not allowed`},
		"a list for a mapping":    {"log: {level: info, format: auto}", "log: [info]", "log wants keys: level, format"},
		"a mapping for text":      {"mode: active", "mode: {a: b}", "a value of the wrong kind"},
		"two documents":           {"cloud: ", "a: b\n---\ncloud: ", "more than one document"},
		"not YAML":                {"cloud: ", "\tcloud: ", "not YAML"},
		"twice":                   {"mode: active", "mode: active\nmode: staging", "mode"},
	} {
		text := strings.Replace(goodConfig, c.old, c.new, 1)
		if text == goodConfig {
			t.Fatalf("%s: changes nothing", name)
		}
		path := writeConfig(t, text)
		_, err := writeback.LoadConfig(path)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a password", name)
		}
	}
}

func TestSecretsComeFromGuardedFiles(t *testing.T) {
	l := newLab(t)
	must(t, os.Chmod(l.path("bind.secret"), 0o644))
	if _, err := writeback.New(l.config()); err == nil || !strings.Contains(err.Error(), "make it 0600") {
		t.Errorf("a password that everybody may read: %v", err)
	}
	must(t, os.Remove(l.path("bind.secret")))
	if _, err := writeback.New(l.config()); err == nil || !strings.Contains(err.Error(), "directories[0].bind.password_file") {
		t.Errorf("a missing password: %v", err)
	}
	must(t, os.Mkdir(l.path("credentials"), 0o700))
	must(t, os.WriteFile(l.path("credentials/bind.secret"), []byte(bindPassword), 0o400))
	t.Setenv("CREDENTIALS_DIRECTORY", l.path("credentials"))
	if _, err := writeback.New(l.config()); err != nil {
		t.Errorf("with a systemd credential: %v", err)
	}
}

func TestAKeytabIsReadOnce(t *testing.T) {
	keys := keytab.New()
	must(t, keys.AddEntry("svc-writeback", "CORP.EXAMPLE", bindPassword, time.Now(), 1, etypeID.AES256_CTS_HMAC_SHA1_96))
	text, err := keys.Marshal()
	must(t, err)
	path := writeConfig(t, strings.Replace(goodConfig, "password_file: bind.secret", "method: gssapi, keytab_file: bind.keytab", 1))
	for _, tt := range []struct{ what, text, want string }{
		{"a keytab", string(text), ""},
		{"something else", "no keytab", "directories[0].bind.keytab_file: not a keytab"},
		{"no key in it", "\x05\x02", "directories[0].bind.keytab_file"},
	} {
		must(t, os.WriteFile(filepath.Join(filepath.Dir(path), "bind.keytab"), []byte(tt.text), 0o600))
		c, err := writeback.LoadConfig(path)
		must(t, err)
		c.CloudCAFile, c.Directories[0].CAFile = "", ""
		if _, err := writeback.New(c); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.what, err, tt.want)
		}
	}
}

func TestStateIsForTheAgentAlone(t *testing.T) {
	l := newLab(t)
	must(t, os.Mkdir(l.path("state"), 0o755))
	err := writeback.Enroll(within(t), l.config(), protocol.NewSecret(l.token))
	if err == nil || !strings.Contains(err.Error(), "mode 0700, not 0755") {
		t.Errorf("an open state_dir: %v", err)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(goodConfig)
	f.Add("a: &a [*a]")
	f.Add("directories: [[], {}]")
	path := filepath.Join(f.TempDir(), "agent.yaml")
	f.Fuzz(func(t *testing.T, text string) {
		must(t, os.WriteFile(path, []byte(text), 0o600))
		if c, err := writeback.LoadConfig(path); err == nil && (c.Cloud == "" || len(c.Directories) == 0) {
			t.Errorf("accepted %q", text)
		}
	})
}
