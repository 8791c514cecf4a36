package fakead

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"regexp"
	"slices"
	"strings"

	"passback/clock"
	"passback/localca"
)

var (
	domainName  = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$`)
	hostName    = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,13}[a-z0-9])?$`)
	siteName    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$`)
	netBIOSName = regexp.MustCompile(`^[A-Z0-9][A-Z0-9-]{0,14}$`)
)

// Format keeps the administrator's password out of logs, whatever the verb.
func (o Options) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "options of %s", o.Domain) }

// withDefaults checks what is set and fills in what is not.
func (o Options) withDefaults() (Options, error) {
	o.Domain = strings.ToLower(o.Domain)
	if o.Domain == "" {
		o.Domain = "corp.example"
	}
	if !domainName.MatchString(o.Domain) {
		return o, fmt.Errorf("domain %q is not a DNS name of at least two labels, such as corp.example", o.Domain)
	}
	if o.NetBIOS == "" {
		label, _, _ := strings.Cut(o.Domain, ".")
		o.NetBIOS = strings.ToUpper(label[:min(len(label), 15)])
	}
	if !netBIOSName.MatchString(o.NetBIOS) {
		return o, fmt.Errorf("NetBIOS name %q is not 1 to 15 capitals, digits or hyphens, such as CORP", o.NetBIOS)
	}
	o.Host = strings.ToLower(cmp.Or(o.Host, "dc1"))
	if !hostName.MatchString(o.Host) {
		return o, fmt.Errorf("host %q is not one label of at most 15 letters, digits or hyphens, such as dc1", o.Host)
	}
	o.Site = cmp.Or(o.Site, "Default-First-Site-Name")
	if !siteName.MatchString(o.Site) {
		return o, fmt.Errorf("site %q is not one label of letters, digits or hyphens, such as Branch", o.Site)
	}
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	if net.ParseIP(o.Listen) == nil {
		return o, fmt.Errorf("listen address %q is not an IP address, such as 127.0.0.1", o.Listen)
	}
	if o.OS == "" {
		o.OS = "2022"
	}
	if _, known := builds[o.OS]; !known {
		return o, fmt.Errorf("operating system %q is not one of %s", o.OS, strings.Join(slices.Sorted(maps.Keys(builds)), ", "))
	}
	if o.AdminPassword == "" {
		o.AdminPassword = "Aa1!" + rand.Text() // of every category, whatever is drawn
	}
	if o.MaxConnections <= 0 {
		o.MaxConnections = defaultMaxConnections
	}
	if o.Clock == nil {
		o.Clock = clock.Real()
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.CA == nil {
		ca, err := localca.New()
		if err != nil {
			return o, fmt.Errorf("make the domain controller's authority: %w", err)
		}
		o.CA = ca
	}
	if o.ClientCAs == nil {
		o.ClientCAs = o.CA.Pool()
	}
	return o, nil
}
