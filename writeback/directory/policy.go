package directory

// The policy in effect for one account: its password settings object (MS-ADTS 3.1.1.4.5.36, msDS-ResultantPSO)
// or the domain's own, on the domain's head (MS-SAMR 3.1.1.5 and 3.1.1.7.1).

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/go-ldap/ldap/v3"

	"passback/writeback/protocol"
)

const domainPasswordComplex = 0x1 // of pwdProperties (MS-SAMR 2.2.1.9)

// ErrNoPolicy says that a policy's numbers may not be read.
var ErrNoPolicy = errors.New("the agent's account may not read the password policy in effect")

// A Policy is the one in effect, as far as its numbers may be read.
type Policy struct {
	protocol.Policy
	Told Told
}

// Told says which numbers of a policy could be read.
type Told struct{ Length, Complexity, History, MinimumAge, MaximumAge bool }

// All reports whether every number could.
func (t Told) All() bool { return t == Told{true, true, true, true, true} }

// Policy reads the policy in effect for u, which has been described; of the zero User it is the domain's. Where a number
// may not be read the error wraps ErrNoPolicy, and the policy has the others.
func (c *Conn) Policy(ctx context.Context, u User) (Policy, error) {
	if u.PSO != "" {
		return c.settingsObject(ctx, u.PSO)
	}
	p := Policy{Policy: protocol.Policy{Name: c.domain.o.Domain}}
	e, err := c.readEntry(ctx, c.root.domain, "minPwdLength", "pwdProperties", "pwdHistoryLength", "minPwdAge", "maxPwdAge")
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoPolicy, err)
	}
	n := numbers{entry: e}
	p.MinimumLength = int(n.read("minPwdLength", &p.Told.Length))
	p.Complexity = n.read("pwdProperties", &p.Told.Complexity)&domainPasswordComplex != 0
	p.History = int(n.read("pwdHistoryLength", &p.Told.History))
	p.MinimumAgeSeconds = seconds(n.read("minPwdAge", &p.Told.MinimumAge))
	p.MaximumAgeSeconds = seconds(n.read("maxPwdAge", &p.Told.MaximumAge))
	return p, n.err
}

func (c *Conn) settingsObject(ctx context.Context, dn string) (Policy, error) {
	p := Policy{Policy: protocol.Policy{Name: commonName(dn)}}
	e, err := c.readEntry(ctx, dn, "msDS-MinimumPasswordLength", "msDS-PasswordComplexityEnabled", "msDS-PasswordHistoryLength",
		"msDS-MinimumPasswordAge", "msDS-MaximumPasswordAge")
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoPolicy, err)
	}
	n := numbers{entry: e}
	p.MinimumLength = int(n.read("msDS-MinimumPasswordLength", &p.Told.Length))
	p.Complexity = n.readBool("msDS-PasswordComplexityEnabled", &p.Told.Complexity)
	p.History = int(n.read("msDS-PasswordHistoryLength", &p.Told.History))
	p.MinimumAgeSeconds = seconds(n.read("msDS-MinimumPasswordAge", &p.Told.MinimumAge))
	p.MaximumAgeSeconds = seconds(n.read("msDS-MaximumPasswordAge", &p.Told.MaximumAge))
	return p, n.err
}

func commonName(dn string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil && len(parsed.RDNs) > 0 && len(parsed.RDNs[0].Attributes) > 0 {
		return parsed.RDNs[0].Attributes[0].Value
	}
	return dn
}

// numbers reads values of one entry and keeps the first failure: an attribute that may not be read is absent.
type numbers struct {
	entry *ldap.Entry
	err   error
}

func (n *numbers) read(attribute string, told *bool) int64 {
	v, err := strconv.ParseInt(n.entry.GetEqualFoldAttributeValue(attribute), 10, 64)
	n.keep(attribute, err, told)
	return v
}

func (n *numbers) readBool(attribute string, told *bool) bool {
	v, err := strconv.ParseBool(n.entry.GetEqualFoldAttributeValue(attribute))
	n.keep(attribute, err, told)
	return v
}

func (n *numbers) keep(attribute string, err error, told *bool) {
	*told = err == nil
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("%w: %s of %s", ErrNoPolicy, attribute, n.entry.DN)
	}
}

// seconds of a policy's duration, which is stored negative in steps of 100 ns; the least value is never.
func seconds(steps int64) int64 {
	if steps == math.MinInt64 {
		return 0
	}
	return -steps / stepsPerSecond
}
