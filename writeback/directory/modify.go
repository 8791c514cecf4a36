package directory

// The one modify: password, unlock, must-change and marker together, all or nothing (MS-ADTS 3.1.1.5.3.1.2;
// unicodePwd 3.1.1.3.1.5.1). Never with the permissive-modify control, which would turn a second marker value
// into a success.

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"

	"passback/writeback/protocol"
)

// A Modification is what one modify does to one account.
type Modification struct {
	New        protocol.Secret // empty: the password is untouched
	Old        protocol.Secret // with it a change; without, an administrative set under the whole policy
	Unlock     bool            // lockoutTime 0
	MustChange bool            // pwdLastSet 0
	Mark       []string        // values added to the marker's attribute; any that is there already fails it all with Exists
	Unmark     []string        // values removed; any that is not there fails it all with Stale
}

// Modify sends m for the account, found by its objectGUID: an account that was moved meanwhile is still it.
// After NoAnswer the connection has been cut off.
func (c *Conn) Modify(ctx context.Context, u User, m Modification) error {
	req, err := c.compose(u, m)
	if err != nil {
		return err
	}
	if err := context.Cause(ctx); err != nil {
		return unreachable(c.root.host, err)
	}
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	before := c.wire.writes.Load()
	err = c.ldap.Modify(req)
	if err == nil {
		return nil
	}
	if result := resultOf("modify", c.root.host, err); result != nil {
		return result
	}
	sent := c.wire.writes.Load() != before
	c.Reset()
	return &SilenceError{DC: c.root.host, Sent: sent, Err: errors.Join(err, context.Cause(ctx))}
}

func (c *Conn) compose(u User, m Modification) (*ldap.ModifyRequest, error) {
	req := ldap.NewModifyRequest(fmt.Sprintf("<GUID=%x>", u.GUID), nil)
	switch {
	case m.New.Empty():
	case m.Old.Empty():
		if c.root.hints == "" {
			return nil, fmt.Errorf("%s: %w", c.root.host, ErrNoPolicyHints)
		}
		req.Controls = []ldap.Control{policyHints(c.root.hints)}
		req.Replace("unicodePwd", []string{encodePassword(m.New)})
	default:
		req.Delete("unicodePwd", []string{encodePassword(m.Old)})
		req.Add("unicodePwd", []string{encodePassword(m.New)})
	}
	if m.Unlock {
		req.Replace("lockoutTime", []string{"0"})
	}
	if m.MustChange {
		req.Replace("pwdLastSet", []string{"0"})
	}
	if len(m.Unmark) > 0 {
		req.Delete(c.domain.o.Marker, m.Unmark)
	}
	if len(m.Mark) > 0 {
		req.Add(c.domain.o.Marker, m.Mark)
	}
	return req, nil
}

// encodePassword is UTF-16LE of the password in double quotes.
func encodePassword(p protocol.Secret) string {
	units := utf16.Encode([]rune(`"` + p.Reveal() + `"`))
	encoded := make([]byte, 0, 2*len(units))
	for _, u := range units {
		encoded = append(encoded, byte(u), byte(u>>8))
	}
	return string(encoded)
}
