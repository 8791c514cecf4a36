package sim_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"passback/sim"
	"passback/sim/cloud"
)

func worldFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "world.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWorldFile(t *testing.T) {
	o, err := sim.LoadOptions(worldFile(t, `
domain: fabrikam.test
without_agent: true
ports: {web: 0, ldap: 1389}
settings: {sspr: selected, scope_group: SSPR-Users, deadline: 30s}
`))
	if err != nil {
		t.Fatal(err)
	}
	if o.Domain != "fabrikam.test" || !o.WithoutAgent || o.Ports.LDAP != 1389 || o.Ports.Web != 0 || o.Ports.AMQPS != sim.DefaultPorts().AMQPS {
		t.Errorf("read %+v", o)
	}
	if s := o.Settings; s.SSPR != cloud.ScopeSelected || !s.Writeback || s.FederatedDomains[0] != "fed.fabrikam.test" {
		t.Errorf("settings: %+v", s)
	}
}

// A bad file is refused, naming the key.
func TestWorldFileRefused(t *testing.T) {
	for text, names := range map[string]string{
		"lisen: 127.0.0.1":                        "lisen",
		"settings: {ssrp: all}":                   "ssrp",
		"ports: {web: many}":                      "many",
		"directory: {url: ldaps://dc1.corp.test}": "bind.password_file",
		"- a list":                                "cannot be read",
	} {
		if _, err := sim.LoadOptions(worldFile(t, text)); err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("%q: %v, want it to name %s", text, err, names)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for names, o := range map[string]sim.Options{
		"listen address":       {Listen: "localhost:80"},
		"ports.web":            {Ports: sim.Ports{Web: 70000}},
		"--yes-this-is-real":   {External: &sim.ExternalDirectory{URL: "ldaps://dc1.contoso.com", Domain: "contoso.com"}},
		"without a password":   {External: &sim.ExternalDirectory{URL: "ldaps://u:p@dc1.corp.test", Domain: "corp.test"}},
		"bind":                 {External: &sim.ExternalDirectory{URL: "ldaps://dc1.corp.test", Domain: "corp.test"}},
		"sspr: \"everybody\"":  {Settings: &cloud.Settings{SSPR: "everybody"}},
		"is not a DNS name of": {Domain: "corp"},
	} {
		if w, err := sim.NewWorld(o); err == nil || !strings.Contains(err.Error(), names) {
			if err == nil {
				_ = w.Close()
			}
			t.Errorf("%v, want it to name %s", err, names)
		}
	}
}
