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

// Policy reads the policy in effect for u. Where the settings object may not be read the error wraps ErrNoPolicy
// and the policy has its name only.
func (c *Conn) Policy(ctx context.Context, u User) (protocol.Policy, error) {
	if u.PSO != "" {
		return c.settingsObject(ctx, u.PSO)
	}
	e, err := c.readEntry(ctx, c.root.domain, "minPwdLength", "pwdProperties", "pwdHistoryLength", "minPwdAge", "maxPwdAge")
	if err != nil {
		return protocol.Policy{Name: c.domain.o.Domain}, fmt.Errorf("%w: %w", ErrNoPolicy, err)
	}
	n := numbers{entry: e}
	p := protocol.Policy{
		Name:              c.domain.o.Domain,
		MinimumLength:     int(n.read("minPwdLength")),
		Complexity:        n.read("pwdProperties")&domainPasswordComplex != 0,
		History:           int(n.read("pwdHistoryLength")),
		MinimumAgeSeconds: seconds(n.read("minPwdAge")),
		MaximumAgeSeconds: seconds(n.read("maxPwdAge")),
	}
	return p, n.err
}

func (c *Conn) settingsObject(ctx context.Context, dn string) (protocol.Policy, error) {
	p := protocol.Policy{Name: commonName(dn)}
	e, err := c.readEntry(ctx, dn, "msDS-MinimumPasswordLength", "msDS-PasswordComplexityEnabled", "msDS-PasswordHistoryLength",
		"msDS-MinimumPasswordAge", "msDS-MaximumPasswordAge")
	if err != nil {
		return p, fmt.Errorf("%w: %w", ErrNoPolicy, err)
	}
	n := numbers{entry: e}
	p.MinimumLength = int(n.read("msDS-MinimumPasswordLength"))
	p.Complexity = e.GetEqualFoldAttributeValue("msDS-PasswordComplexityEnabled") == "TRUE"
	p.History = int(n.read("msDS-PasswordHistoryLength"))
	p.MinimumAgeSeconds = seconds(n.read("msDS-MinimumPasswordAge"))
	p.MaximumAgeSeconds = seconds(n.read("msDS-MaximumPasswordAge"))
	return p, n.err
}

func commonName(dn string) string {
	if parsed, err := ldap.ParseDN(dn); err == nil && len(parsed.RDNs) > 0 && len(parsed.RDNs[0].Attributes) > 0 {
		return parsed.RDNs[0].Attributes[0].Value
	}
	return dn
}

// numbers reads integers of one entry and keeps the first failure: an attribute that may not be read is absent.
type numbers struct {
	entry *ldap.Entry
	err   error
}

func (n *numbers) read(attribute string) int64 {
	v, err := strconv.ParseInt(n.entry.GetEqualFoldAttributeValue(attribute), 10, 64)
	if err != nil && n.err == nil {
		n.err = fmt.Errorf("%w: %s of %s", ErrNoPolicy, attribute, n.entry.DN)
	}
	return v
}

// seconds of a policy's duration, which is stored negative in steps of 100 ns; the least value is never.
func seconds(steps int64) int64 {
	if steps == math.MinInt64 {
		return 0
	}
	return -steps / stepsPerSecond
}
