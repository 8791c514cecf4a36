package fakerelay

// What a connection may do: the verified tokens it has put, each until it expires or the secret that signed it is replaced. The
// expiry of a token ends the links that it authorised; a renewal in time keeps them.

import (
	"strings"
	"time"

	"passback/clock"
	"passback/fakerelay/amqp"
)

const textRenewToken = "The link '%s' is force detached. Code: RenewToken. Details: %s"

// maxGrants is how many paths a connection may hold tokens for; our own bound.
const maxGrants = 1000

// heldGrant is a grant and the timer that looks after its end.
type heldGrant struct {
	grant
	timer clock.Timer // nil: it does not expire
}

// hold keeps a grant, in place of an earlier one for the same path. It reports false if there are too many.
func (c *connection) hold(g grant) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := c.grants[g.path]
	if old == nil && len(c.grants) >= maxGrants {
		return false
	}
	if old != nil {
		old.stop()
	}
	held := &heldGrant{grant: g}
	if !g.expires.IsZero() {
		real := clock.Real()
		held.timer = real.AfterFunc(g.expires.Sub(real.Now()), c.review)
	}
	c.grants[g.path] = held
	return true
}

func (h *heldGrant) stop() {
	if h.timer != nil {
		h.timer.Stop()
	}
}

// forget drops all grants, and watches no more, when the connection has ended.
func (c *connection) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, held := range c.grants {
		held.stop()
	}
	c.grants = nil
	c.gone = true
	c.watchLinks()
}

// allowed reports whether a token for the path, or for something above it, is held and gives the right.
func (c *connection) allowed(path string, right Rights) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := clock.Real().Now()
	for at := foldPath(path); ; {
		if held := c.grants[at]; held != nil && held.valid(&c.ns.keys, now) && held.rights.Has(right) {
			return true
		}
		if at == "" {
			return false
		}
		at = at[:max(strings.LastIndexByte(at, '/'), 0)]
	}
}

func (h *heldGrant) valid(keys *keyring, now time.Time) bool {
	return (h.expires.IsZero() || now.Before(h.expires)) && (h.signer == nil || keys.current(h.path, h.signer))
}

// review detaches the links that are no longer allowed.
func (c *connection) review() {
	for _, l := range c.openLinks() {
		if !c.allowed(l.path, l.right) {
			l.detach(c.lapsed(l))
		}
	}
}

// lapsed is why a link ends whose token has: the service detaches it by force and names its own doing, RenewToken.
func (c *connection) lapsed(l *entityLink) *amqp.Error {
	return amqp.Errorf(amqp.CondDetachForced, textRenewToken, l.name, c.denied(l.path, l.right).Description)
}

func (c *connection) denied(path string, right Rights) *amqp.Error {
	name := right.String()
	if right == 0 {
		name = (Send | Listen).String()
	}
	return amqp.Errorf(amqp.CondUnauthorizedAccess, textUnauthorized+"%s", name, c.host(), path, tracking(path))
}

// plain is SASL PLAIN with the name and a secret of one of the namespace's own keys.
func (c *connection) plain(user, password string) bool {
	for _, k := range c.ns.keys.named(user, "") {
		if k.has(password) {
			return c.hold(grant{rights: k.Rights, signer: &signer{k.Name, password, k.Rights}})
		}
	}
	return false
}
