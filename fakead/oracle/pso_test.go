package oracle

// Fine-grained policies lie in one container of the domain, not beside the accounts of a question.

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

var psoAttributes = map[string]string{
	"length": "msDS-MinimumPasswordLength", "complexity": "msDS-PasswordComplexityEnabled", "history": "msDS-PasswordHistoryLength",
	"minage": "msDS-MinimumPasswordAge", "maxage": "msDS-MaximumPasswordAge", "threshold": "msDS-LockoutThreshold",
	"duration": "msDS-LockoutDuration", "window": "msDS-LockoutObservationWindow",
}

func (s *server) psoContainer() string { return "CN=Password Settings Container,CN=System," + s.base }

// pso NAME precedence=N [setting=value]... [account]... adds a fine-grained policy; settings are those of policy.
func setupPSO(r *run, st statement) error {
	if err := need(st, 2); err != nil {
		return err
	}
	settings := st.args[1:]
	end := slices.IndexFunc(settings, func(t token) bool { return !strings.Contains(t.text, "=") })
	if end < 0 {
		end = len(settings)
	}
	precedence, _ := strings.CutPrefix(settings[0].text, "precedence=")
	p, err := basePolicy().overridden(settings[1:end])
	if err != nil {
		return err
	}
	name := st.args[0].text
	a := &account{name: name, dn: "CN=" + r.question.id + "-" + name + "," + r.server.psoContainer()}
	m := ldap.NewAddRequest(a.dn, nil)
	m.Attribute("objectClass", []string{"msDS-PasswordSettings"})
	m.Attribute("msDS-PasswordSettingsPrecedence", []string{precedence})
	m.Attribute("msDS-PasswordReversibleEncryptionEnabled", []string{"FALSE"})
	for _, setting := range slices.Sorted(maps.Keys(psoAttributes)) {
		value, err := policyValue(p[setting])
		if err != nil {
			return err
		}
		if setting == "complexity" {
			value = map[string]string{"0": "FALSE", "1": "TRUE"}[value]
		}
		m.Attribute(psoAttributes[setting], []string{value})
	}
	var applies []string
	for _, t := range settings[end:] {
		on, err := r.find(t.text)
		if err != nil {
			return err
		}
		applies = append(applies, on.dn)
	}
	if applies != nil {
		m.Attribute("msDS-PSOAppliesTo", applies)
	}
	if err := r.server.admin.Add(m); err != nil {
		return fmt.Errorf("add PSO %s: %w", name, err)
	}
	r.accounts = append(r.accounts, a)
	return nil
}
