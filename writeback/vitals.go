package writeback

import (
	"slices"
	"strings"
	"time"

	"passback/writeback/protocol"
)

// vitals is what an agent knows of itself, for health.go to judge. An empty text says that there is nothing wrong.
type vitals struct {
	skew, staging, warming string
	renewal                string // why the enrolment could not be renewed
	foreignKey             string // requests came that no key of ours opens
	relays                 []relayVitals
	domains                []domainVitals
	missing                []string // domains of the tenant that the configuration lacks
	keyAge                 time.Duration
	oldKey                 bool // the key before is still held
}

type relayVitals struct {
	host    string
	failure string // why it is not connected, or takes no heartbeat
	refused bool   // because of our credentials
}

type domainVitals struct {
	protocol.DomainState
	bindRefused bool
	noHints     bool   // the controller to write to offers no policy hints
	marker      string // why the marker could not be read or written, lately
}

// vitals gathers them.
func (t *term) vitals() vitals {
	var v vitals
	v.skew, v.staging, v.warming = t.gate.reasons()
	v.keyAge, v.oldKey = t.keys.age()
	for _, r := range t.relays {
		v.relays = append(v.relays, relayVitals{host: r.Host()})
	}
	configured := t.configuration().Directories
	for _, tenants := range t.enrolment.Domains {
		if !slices.ContainsFunc(configured, func(d Directory) bool { return strings.EqualFold(d.Domain, tenants) }) {
			v.missing = append(v.missing, tenants)
		}
	}
	t.mu.Lock()
	for _, d := range t.domains {
		found := t.found[d.Name()]
		found.Domain, found.DC = d.Name(), d.Current()
		v.domains = append(v.domains, found)
	}
	t.mu.Unlock()
	t.record.complain(&v)
	return v
}

// warnings are those of the agent as it is now.
func (t *term) warnings() []protocol.Warning { return t.vitals().warnings() }
