package tree

// Names that follow a computer's: an element of servicePrincipalName whose host is the old dNSHostName, or the old
// sAMAccountName without its $, gets the new one. What the oracle's questions S9.7 show of a real domain controller.

import (
	"strings"
)

// followHostName rewrites the service names that a computer had before it is given another name.
func (p *Plan) followHostName() {
	if !p.entry.IsA("computer") {
		return
	}
	had := map[string]bool{}
	for _, v := range p.entry.Get("servicePrincipalName") {
		had[fold(string(v))] = true
	}
	for _, source := range []string{"dNSHostName", "sAMAccountName"} {
		before := strings.TrimSuffix(p.entry.First(source), "$")
		after := strings.TrimSuffix(p.First(source), "$")
		if before == "" || after == "" || strings.EqualFold(before, after) {
			continue
		}
		var names []string
		seen := map[string]bool{}
		for _, v := range p.Get("servicePrincipalName") {
			name := string(v)
			if had[fold(name)] {
				name = withHost(name, before, after)
			}
			if key := fold(name); !seen[key] {
				seen[key] = true
				names = append(names, name)
			}
		}
		p.Set("servicePrincipalName", names...)
	}
}

// withHost replaces the host of class/host[/service]. A name with a port is left as it is.
func withHost(name, before, after string) string {
	parts := strings.SplitN(name, "/", 3)
	if len(parts) < 2 || !strings.EqualFold(parts[1], before) {
		return name
	}
	parts[1] = after
	return strings.Join(parts, "/")
}
