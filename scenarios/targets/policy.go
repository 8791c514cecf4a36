package targets

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"passback/scenarios"
)

// The domain's password policy, where a domain controller keeps it: in attributes of the domain's head
// (MS-ADTS 3.1.1.5, MS-SAMR 2.2.3.6).

var policyAttributes = []string{"minPwdLength", "pwdProperties", "pwdHistoryLength", "minPwdAge", "maxPwdAge",
	"lockoutThreshold", "lockoutDuration", "lockOutObservationWindow"}

const (
	domainPasswordComplex = 1           // of pwdProperties
	halfAnHour            = -1800 * 1e7 // in 100 ns
)

func (b *seedbed) readPolicy() (policy map[string]string, err error) {
	policy = map[string]string{}
	err = b.asAdmin(func(c *ldap.Conn) error {
		head, err := read(c, b.base, policyAttributes...)
		if err != nil || head == nil {
			return fmt.Errorf("read the domain's policy: %w", err)
		}
		for _, name := range policyAttributes {
			if v := head.GetAttributeValue(name); v != "" {
				policy[name] = v
			}
		}
		return nil
	})
	return policy, err
}

func (b *seedbed) writePolicy(policy map[string]string) error {
	return b.asAdmin(func(c *ldap.Conn) error {
		m := ldap.NewModifyRequest(b.base, nil)
		for _, name := range slices.Sorted(maps.Keys(policy)) {
			m.Replace(name, []string{policy[name]})
		}
		if err := c.Modify(m); err != nil {
			return fmt.Errorf("set the domain's policy: %w", err)
		}
		return nil
	})
}

// setFineGrained makes a password settings object for one person (MS-ADTS 6.1.1.4.11.1.1): of one that names a user
// nothing of the domain's policy holds, lockout included.
func (b *seedbed) setFineGrained(u scenarios.User, p scenarios.Policy) error {
	maxAge := never
	if p.MaxAge > 0 {
		maxAge = span(p.MaxAge)
	}
	dn := "CN=pso-" + u.SAM + ",CN=Password Settings Container,CN=System," + b.base
	add := ldap.NewAddRequest(dn, nil)
	for _, a := range [][2]string{
		{"objectClass", "msDS-PasswordSettings"}, {"msDS-PSOAppliesTo", u.DN}, {"msDS-PasswordSettingsPrecedence", "1"},
		{"msDS-PasswordReversibleEncryptionEnabled", "FALSE"},
		{"msDS-MinimumPasswordLength", strconv.Itoa(p.MinLength)},
		{"msDS-PasswordComplexityEnabled", strings.ToUpper(strconv.FormatBool(p.Complexity))},
		{"msDS-PasswordHistoryLength", strconv.Itoa(p.History)},
		{"msDS-MinimumPasswordAge", span(p.MinAge)}, {"msDS-MaximumPasswordAge", maxAge},
		{"msDS-LockoutThreshold", strconv.Itoa(p.LockoutThreshold)},
		{"msDS-LockoutDuration", strconv.Itoa(halfAnHour)}, {"msDS-LockoutObservationWindow", strconv.Itoa(halfAnHour)},
	} {
		add.Attribute(a[0], []string{a[1]})
	}
	return b.asAdmin(func(c *ldap.Conn) error {
		if err := c.Add(add); err != nil {
			return fmt.Errorf("add %s: %w", dn, err)
		}
		b.settings = append(b.settings, dn)
		return nil
	})
}

func (b *seedbed) setPolicy(p scenarios.Policy) error {
	current, err := b.readPolicy()
	if err != nil {
		return err
	}
	properties, _ := strconv.Atoi(current["pwdProperties"]) // absent is 0
	properties &^= domainPasswordComplex
	if p.Complexity {
		properties |= domainPasswordComplex
	}
	maxAge := never
	if p.MaxAge > 0 {
		maxAge = span(p.MaxAge)
	}
	return b.writePolicy(map[string]string{
		"minPwdLength": strconv.Itoa(p.MinLength), "pwdProperties": strconv.Itoa(properties),
		"pwdHistoryLength": strconv.Itoa(p.History), "minPwdAge": span(p.MinAge), "maxPwdAge": maxAge,
		"lockoutThreshold": strconv.Itoa(p.LockoutThreshold),
		"lockoutDuration":  strconv.Itoa(halfAnHour), "lockOutObservationWindow": strconv.Itoa(halfAnHour),
	})
}
