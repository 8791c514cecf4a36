package writeback

// doctor's group directory: every controller of every domain, and which of them is written to.

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

type domainView struct {
	*directory.Domain
	addresses []string
	conn      *directory.Conn // to the one to write to; nil before that was looked for
}

type controllerView struct {
	domain  *directory.Domain
	address string
	facts   directory.Facts
	conn    *directory.Conn
}

var domainChecks = []check[*domainView]{
	{name: "controllers", vital: true, look: (*domainView).controllers},
	{name: "ports", look: (*domainView).ports},
}

var controllerChecks = []check[*controllerView]{
	{name: "TLS, rootDSE and bind", vital: true, look: (*controllerView).open},
	{name: "certificate", look: (*controllerView).certificate},
	{name: "writable", look: (*controllerView).writable},
	{name: "policy hints", look: (*controllerView).hints},
	{name: "clock", look: (*controllerView).clock},
}

var writeToChecks = []check[*domainView]{
	{name: "controller to write to", vital: true, look: (*domainView).writeTo},
	{name: "its policy hints", look: (*domainView).hints},
}

func (x *examination) examineDirectories(ctx context.Context) error {
	marker := x.enrolled.MarkerAttribute
	if marker == "" {
		marker = protocol.DefaultMarkerAttribute
	}
	domains, err := x.newDomains(marker)
	if err != nil {
		return err
	}
	var views []*domainView
	for _, d := range domains {
		v := &domainView{Domain: d}
		views = append(views, v)
		defer v.close()
		if x.examineDomain(ctx, v) {
			x.examinePolicy(ctx, v, marker)
		}
	}
	x.examineAnchors(ctx, views)
	x.examineRights(ctx, views, marker)
	return nil
}

// examineDomain reports whether there is a controller to write to.
func (x *examination) examineDomain(ctx context.Context, v *domainView) bool {
	if !examine(ctx, x, "directory", v.Name(), v, domainChecks) {
		return false
	}
	for _, address := range v.addresses {
		c := &controllerView{domain: v.Domain, address: address}
		examine(ctx, x, "directory", address, c, controllerChecks)
		if c.conn != nil {
			c.conn.Release()
		}
	}
	return examine(ctx, x, "directory", v.Name(), v, writeToChecks)
}

func (v *domainView) close() {
	if v.conn != nil {
		v.conn.Release()
	}
	v.Close()
}

func (v *domainView) controllers(ctx context.Context) (f finding) {
	var err error
	if v.addresses, err = v.Addresses(ctx); err != nil {
		return failure(err.Error(), "Let this host ask a DNS server that knows the domain, or name controllers under servers.")
	}
	return fine("%s", strings.Join(v.addresses, ", "))
}

// ports finds the ports that answer and lead astray: a global catalog holds a part of every object and takes no
// writes; plain LDAP and LDAPS do not understand each other.
func (v *domainView) ports(context.Context) finding {
	for _, address := range v.addresses {
		switch _, port, _ := net.SplitHostPort(address); port {
		case "3268", "3269":
			return failure(address+" is a global catalog's port", "Name the controller with port 636: a global catalog is read-only, so every write would be refused or referred elsewhere.")
		case "389":
			if !v.StartTLS() {
				return failure(address+" is the port of plain LDAP", "Name the controller with port 636, or set starttls: true. The agent sends nothing outside of TLS.")
			}
		case "636":
			if v.StartTLS() {
				return failure(address+" is the port of LDAPS, which takes no StartTLS", "Name the controller with port 389, or remove starttls: true.")
			}
		}
	}
	return fine("none is a global catalog's (3268, 3269), and each is of the right kind")
}

func (v *controllerView) open(ctx context.Context) (f finding) {
	var err error
	if v.conn, err = v.domain.OpenAddress(ctx, v.address); err != nil {
		return failure(err.Error(), openAdvice(err))
	}
	v.facts = v.conn.Facts()
	return fine("%s, %s, bound", v.facts.Host, v.facts.TLS)
}

// openAdvice tells by the error what to do; its text is all that TLS gives.
func openAdvice(err error) string {
	text := err.Error()
	switch {
	case directory.KindOf(err) == directory.BindRefused:
		return "Correct bind.user or the password file, and see whether the account is locked, disabled or expired. The agent tries again only when it is reloaded, so as not to lock its own account."
	case errors.Is(err, directory.ErrTicket):
		return "Let this host reach the controller's port 88, and see that the clocks of both agree within 5 minutes."
	case strings.Contains(text, "x509:"):
		return "Name the authority that signed the controller's certificate in ca_file, and name the controller as its certificate does."
	case strings.Contains(text, "it serves"):
		return "This controller belongs to another domain: correct domain or servers."
	}
	return "Let this host reach the controller's port 636, and see that the controller has a certificate for LDAPS."
}

func (v *controllerView) certificate(context.Context) finding {
	const soon = 30 * 24 * time.Hour
	left := v.facts.Expires.Sub(wireNow())
	if left < soon {
		return warning(fmt.Sprintf("expires in %d days, on %s", left/(24*time.Hour), v.facts.Expires.Format(time.DateOnly)), "Have the controller's certificate renewed.")
	}
	return fine("until %s", v.facts.Expires.Format(time.DateOnly))
}

func (v *controllerView) writable(context.Context) finding {
	if v.facts.ReadOnly {
		return warning(v.facts.Host+" is a read-only controller, so it is passed over", "Name writable controllers alone under servers.")
	}
	return fine("%s", v.facts.Host)
}

func (v *domainView) hints(context.Context) finding { return hintsFinding(v.conn.Facts()) }

func (v *controllerView) hints(context.Context) finding { return hintsFinding(v.facts) }

func hintsFinding(f directory.Facts) finding {
	if !f.Hints {
		return failure(directory.ErrNoPolicyHints.Error(), "Resets through this controller are refused, since they would skip the policy. Windows Server 2012 and later offer the control.")
	}
	return fine("offered, so resets meet the whole policy")
}

func (v *controllerView) clock(context.Context) finding {
	const most = 5 * time.Minute // Kerberos' own tolerance
	if v.facts.Now.IsZero() {
		return skipped("it tells no time")
	}
	off := wireNow().Sub(v.facts.Now).Round(time.Second)
	if off.Abs() > most {
		return warning(fmt.Sprintf("this host is %s ahead of it", off), "Synchronise both. Password ages go by the controller's clock.")
	}
	return fine("%s apart", off.Abs())
}

func (v *domainView) writeTo(ctx context.Context) (f finding) {
	host, err := v.WriteTo(ctx)
	if err == nil {
		v.conn, err = v.Open(ctx, host)
	}
	if err != nil {
		return failure(err.Error(), "Requests for this domain are refused until a writable controller can be reached: see the lines above.")
	}
	pdc, err := v.conn.PDC(ctx)
	switch {
	case err != nil:
		return warning(host+"; which is the PDC emulator could not be read: "+err.Error(), "Let the agent's account read the domain's head and the Configuration partition, as Authenticated Users may by default.")
	case pdc != host && !slices.ContainsFunc(v.addresses, func(a string) bool { return strings.HasPrefix(a, pdc+":") }):
		return warning(host+", since the PDC emulator "+pdc+" is not among the controllers configured", "Add it under servers: a new password is known there first, so that sign-ins at other controllers succeed at once.")
	case pdc != host:
		return warning(host+", since the PDC emulator "+pdc+" cannot be used", "See its line above.")
	}
	return fine("%s, the PDC emulator", host)
}
