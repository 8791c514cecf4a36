package directory

// Which controller to write to: the PDC emulator, where a new password is known first (MS-ADTS 3.1.1.3.3.4:
// fSMORoleOwner of the domain's head names its NTDS Settings, whose parent is the server), or another writable
// one while that is unreachable. locate.go finds them.

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// WriteTo returns the dnsHostName of the controller to write to now. It asks anew each time; while the PDC emulator
// stays unreachable, so does its stand-in stay the same.
func (d *Domain) WriteTo(ctx context.Context) (string, error) {
	host, err := d.discover(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = host
	return host, err
}

// Current is what WriteTo returned last; empty where it failed or was not called yet.
func (d *Domain) Current() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.current
}

func (d *Domain) discover(ctx context.Context) (string, error) {
	candidates, err := d.candidates(ctx)
	if err != nil {
		return "", err
	}
	if current := d.Current(); current != "" {
		candidates = d.preferring(current, candidates)
	}
	var owner, fallback string
	var failures []error
	for len(candidates) > 0 {
		address := candidates[0]
		candidates = candidates[1:]
		host, told, err := d.ask(ctx, address, owner == "")
		switch {
		case KindOf(err) == BindRefused:
			return "", err
		case err != nil:
			failures = append(failures, err)
			continue
		case told != "" && owner == "":
			owner = told
			candidates = d.preferring(owner, candidates)
		}
		if host == owner {
			return host, nil
		}
		if fallback == "" {
			fallback = host
		}
	}
	if fallback == "" {
		return "", unreachable(d.o.Domain, errors.Join(failures...))
	}
	d.o.Logger.Warn("writing to another controller than the PDC emulator", "domain", d.o.Domain, "pdc", owner, "dc", fallback, "error", errors.Join(failures...))
	return fallback, nil
}

// ask returns the name of the writable controller at address and, if wanted, who is PDC emulator.
func (d *Domain) ask(ctx context.Context, address string, wantOwner bool) (host, owner string, err error) {
	c, err := d.openAddress(ctx, address)
	if err != nil {
		return "", "", err
	}
	defer c.Release()
	if c.root.readOnly {
		return "", "", unreachable(c.root.host, errReadOnly)
	}
	if !wantOwner {
		return c.root.host, "", nil
	}
	if owner, err = c.roleOwner(ctx); err != nil {
		d.o.Logger.Warn("cannot tell the PDC emulator", "dc", c.root.host, "error", err)
	}
	return c.root.host, owner, nil
}

// roleOwner is the dnsHostName of the PDC emulator.
func (c *Conn) roleOwner(ctx context.Context) (string, error) {
	head, err := c.readEntry(ctx, c.root.domain, "fSMORoleOwner")
	if err != nil {
		return "", err
	}
	settings, err := ldap.ParseDN(head.GetEqualFoldAttributeValue("fSMORoleOwner"))
	if err != nil || len(settings.RDNs) < 2 {
		return "", errors.New("the domain's head names no PDC emulator, or may not be read")
	}
	settings.RDNs = settings.RDNs[1:]
	server, err := c.readEntry(ctx, settings.String(), "dNSHostName")
	if err != nil {
		return "", err
	}
	return strings.ToLower(server.GetEqualFoldAttributeValue("dNSHostName")), nil
}

// preferring moves the address of the named controller to the front. One of the domain's own names that DNS did not
// list, being beyond the first of a large domain, is put there.
func (d *Domain) preferring(host string, candidates []string) []string {
	d.mu.Lock()
	known := d.known[host]
	d.mu.Unlock()
	i := slices.IndexFunc(candidates, func(a string) bool { return a == known || a == net.JoinHostPort(host, d.port()) })
	switch {
	case i < 0 && len(d.o.Servers) == 0 && strings.HasSuffix(host, "."+d.o.Domain): // the agent's password goes to no other
		return slices.Insert(slices.Clone(candidates), 0, net.JoinHostPort(host, d.port()))
	case i < 0:
		return candidates
	}
	return slices.Insert(slices.Delete(slices.Clone(candidates), i, i+1), 0, candidates[i])
}
