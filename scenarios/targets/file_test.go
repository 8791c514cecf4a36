package targets_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"passback/scenarios/targets"
)

func load(t *testing.T, text string) (targets.File, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "target.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return targets.Load(path)
}

func TestTheTwoKindsOfEachAreRead(t *testing.T) {
	f, err := load(t, "directory: fakead\nagent: world\n")
	if err != nil || f.Directory.URL != "" || f.Agent.Command != nil {
		t.Errorf("fakead and world were read as %+v, %v", f, err)
	}
	f, err = load(t, `
directory:
  url: ldaps://127.0.0.21
  ca_file: /etc/ca.pem
  domain: fake.test
  admin_dn: CN=Administrator,CN=Users,DC=fake,DC=test
  admin_password_file: admin.secret
agent:
  command: [passback-agent]
`)
	if err != nil {
		t.Fatal(err)
	}
	if !filepath.IsAbs(f.Directory.AdminPasswordFile) || f.Directory.CAFile != "/etc/ca.pem" || f.Agent.Command[0] != "passback-agent" {
		t.Errorf("read %+v: want paths from the file's folder, and a command from PATH", f)
	}
}

func TestABadFileIsRefusedWithItsKey(t *testing.T) {
	const keys = "directory:\n  url: ldaps://dc\n  domain: %s\n  admin_dn: CN=A\n  admin_password_file: f\n"
	for text, want := range map[string]string{
		"directory: samba\n":                       "fakead",
		"directory:\n  uri: ldaps://dc\n":          "uri",
		"directory:\n  url: ldap://dc\n":           "ldaps://",
		"directory:\n  domain: a.test\n":           "directory.url",
		"directory:\n  url: ldaps://dc\n":          "admin_dn",
		"agent: process\n":                         "world",
		"agent:\n  cmd: [a]\n":                     "cmd",
		"target: x\n":                              "target",
		strings.Replace(keys, "%s", "corp.com", 1): "yes_this_is_real",
	} {
		if _, err := load(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want one that names %q", text, err, want)
		}
	}
}

func TestTheExamplesAreTargets(t *testing.T) {
	files, err := filepath.Glob("../examples/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		if _, err := targets.Load(file); err != nil {
			t.Error(err)
		}
	}
}
