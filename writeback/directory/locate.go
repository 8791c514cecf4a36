package directory

// Where a domain's controllers are: those of the configuration, or those that DNS lists (MS-ADTS 6.3.2.3,
// _ldap._tcp.dc._msdcs.<domain>), those of our own site first (_ldap._tcp.<site>._sites.dc._msdcs.<domain>). The
// records come in the order of RFC 2782: by priority, then drawn by weight. LDAPS has no records of its own, so the
// port is always the well-known one.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"passback/clock"
)

const (
	portLDAP      = "389"
	portLDAPS     = "636"
	maxCandidates = 32          // controllers that are tried
	awayFor       = time.Minute // for which one that could not be connected to is tried after all others
)

func (d *Domain) port() string {
	if d.o.StartTLS {
		return portLDAP
	}
	return portLDAPS
}

// candidates are the addresses of the domain's controllers, the preferred first.
func (d *Domain) candidates(ctx context.Context) ([]string, error) {
	var found []string
	for _, server := range d.o.Servers {
		if _, _, err := net.SplitHostPort(server); err != nil {
			server = net.JoinHostPort(server, d.port())
		}
		found = append(found, server)
	}
	if len(found) > 0 {
		return d.awayLast(found), nil
	}
	all, err := d.lookup(ctx, "dc._msdcs."+d.o.Domain)
	if err != nil {
		return nil, unreachable(d.o.Domain, fmt.Errorf("find its controllers by DNS: %w", err))
	}
	if site := d.siteOf(ctx, all); site != "" {
		ours, err := d.lookup(ctx, site+"._sites.dc._msdcs."+d.o.Domain)
		if err != nil {
			d.o.Logger.Warn("DNS lists no controllers of our site", "domain", d.o.Domain, "site", site, "error", err)
		}
		all = slices.Concat(ours, slices.DeleteFunc(all, func(a string) bool { return slices.Contains(ours, a) }))
	}
	all = d.awayLast(all)
	return all[:min(len(all), maxCandidates)], nil
}

// missed keeps in mind whether an address could be connected to.
func (d *Domain) missed(address string, away bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.away, address)
	if away {
		d.away[address] = clock.Real().Now()
	}
}

// awayLast moves those that could not be connected to a moment ago behind the others, which keep their order.
func (d *Domain) awayLast(addresses []string) []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	since := clock.Real().Now().Add(-awayFor)
	isAway := func(address string) bool { return d.away[address].After(since) }
	here := slices.DeleteFunc(slices.Clone(addresses), isAway)
	return append(here, slices.DeleteFunc(slices.Clone(addresses), func(a string) bool { return !isAway(a) })...)
}

func (d *Domain) lookup(ctx context.Context, name string) (addresses []string, err error) {
	_, records, err := d.o.LookupSRV(ctx, "ldap", "tcp", name)
	if err != nil {
		return nil, err
	}
	for _, r := range records {
		if host := strings.ToLower(strings.TrimSuffix(r.Target, ".")); host != "" { // "." says that there is none
			addresses = append(addresses, net.JoinHostPort(host, d.port()))
		}
	}
	return addresses, nil
}

// siteOf is our site: that of the configuration, or that which the first controller in reach says this host's address
// is of. It is asked for until one has answered.
func (d *Domain) siteOf(ctx context.Context, addresses []string) string {
	d.mu.Lock()
	site, known := d.site, d.siteKnown
	d.mu.Unlock()
	if known {
		return site
	}
	for _, address := range addresses[:min(len(addresses), maxCandidates)] {
		c, err := d.openAddress(ctx, address)
		if KindOf(err) == BindRefused {
			return ""
		}
		if err != nil {
			continue
		}
		site, err := c.site(ctx)
		c.Release()
		if err != nil {
			d.o.Logger.Info("cannot tell which site this host is of", "domain", d.o.Domain, "dc", c.root.host, "error", err)
		}
		if KindOf(err) == Unreachable {
			continue
		}
		d.mu.Lock()
		d.site, d.siteKnown = site, true
		d.mu.Unlock()
		return site
	}
	return ""
}

// addressOf finds where a controller is served, asking those that are not known yet.
func (d *Domain) addressOf(ctx context.Context, dc string) (string, error) {
	if address, ok := d.knownAddress(dc); ok {
		return address, nil
	}
	candidates, err := d.candidates(ctx)
	if err != nil {
		return "", err
	}
	var failures []error
	for _, address := range d.preferring(dc, candidates) {
		c, err := d.openAddress(ctx, address)
		if err != nil {
			failures = append(failures, err)
			continue
		}
		c.Release()
		if address, ok := d.knownAddress(dc); ok {
			return address, nil
		}
	}
	if err := d.bindRefused(); err != nil {
		return "", err
	}
	return "", unreachable(dc, errors.Join(append(failures, errors.New("none of the configured controllers has this name"))...))
}

func (d *Domain) knownAddress(dc string) (string, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	address, ok := d.known[dc]
	return address, ok
}

func (d *Domain) forget(dc string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.known, dc)
}
