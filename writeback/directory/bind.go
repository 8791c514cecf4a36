package directory

// The bind: simple (MS-ADTS 5.1.1.1.1) or GSSAPI (kerberos.go), once at a time and, where it was refused, never again.
// Left out on purpose: NTLM and digests, which a password in TLS makes needless.

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

// A BindError is the bind account's own refusal.
type BindError struct {
	User string
	Err  error // a *ResultError of the controller, or what its key distribution centre said
}

func (e *BindError) Error() string {
	return fmt.Sprintf("the directory does not let %s in; correct the password or the account, then reload or restart the agent: %v", e.User, e.Err)
}

func (e *BindError) Unwrap() error { return e.Err }

// bind tries the credentials once. A refusal is remembered, on every controller, until the agent is reloaded or starts
// anew: an agent with a wrong password must not lock its own account out.
func (d *Domain) bind(ctx context.Context, c *Conn) error {
	select {
	case d.binding <- struct{}{}:
		defer func() { <-d.binding }()
	case <-ctx.Done():
		return unreachable(c.root.host, fmt.Errorf("wait to bind: %w", context.Cause(ctx)))
	}
	if err := d.bindRefused(); err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, c.wire.reset)
	defer stop()
	var err error
	if d.o.Kerberos {
		err = c.bindGSSAPI()
	} else {
		err = c.ldap.Bind(d.o.User, d.o.Password.Reveal())
	}
	if err == nil {
		return nil
	}
	refusal := refusalOf(c.root.host, err)
	if refusal == nil {
		return unreachable(c.root.host, fmt.Errorf("bind as %s: %w", d.o.User, err))
	}
	refused := &BindError{User: d.o.User, Err: refusal}
	d.mu.Lock()
	d.refused = refused
	d.mu.Unlock()
	d.o.Logger.Error("the bind was refused and is not tried again until the agent is reloaded or restarted", "domain", d.o.Domain, "error", refused)
	return refused
}

// refusalOf is what a bind's error says about the credentials; nil if it is about anything else.
func refusalOf(dc string, err error) error {
	if result := resultOf("bind", dc, err); result != nil && result.Code == ldap.LDAPResultInvalidCredentials {
		return result
	}
	if ticket, ok := errors.AsType[*ticketError](err); ok && ticket.refused() {
		return ticket
	}
	return nil
}

func (d *Domain) bindRefused() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.refused
}
