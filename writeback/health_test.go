package writeback

import (
	"slices"
	"strings"
	"testing"
	"time"

	"passback/writeback/protocol"
)

const day = 24 * time.Hour

func domainAt(dc string) domainVitals {
	return domainVitals{DomainState: protocol.DomainState{Domain: "corp.example", DC: dc}}
}

func TestWhatIsWrongIsToldByItsCause(t *testing.T) {
	refused := domainAt("")
	refused.bindRefused = true
	noHints, denied := domainAt("dc1.corp.example"), domainAt("dc1.corp.example")
	noHints.noHints, denied.marker = true, "may not be written"
	up, down := relayVitals{host: "one.example"}, relayVitals{host: "two.example", failure: "connection refused"}
	token := relayVitals{host: "two.example", failure: "amqp:unauthorized-access", refused: true}
	for _, tt := range []struct {
		name   string
		vitals vitals
		all    []string
		causes []string // nil: all of them
	}{
		{"nothing", vitals{relays: []relayVitals{up}, domains: []domainVitals{domainAt("dc1.corp.example")}, keyAge: 100 * day}, nil, nil},
		{"the only relay is down", vitals{relays: []relayVitals{down}}, []string{illRelay}, nil},
		{"one of two is down", vitals{relays: []relayVitals{up, down}}, []string{illOneRelay}, nil},
		{"the only relay refuses the token", vitals{relays: []relayVitals{token}}, []string{illToken, illRelay}, []string{illToken}},
		{"one relay is down, the other refuses the token", vitals{relays: []relayVitals{{host: "one.example", failure: "no route"}, token}},
			[]string{illToken, illRelay, illRelay}, []string{illToken, illRelay}},
		{"no controller", vitals{domains: []domainVitals{domainAt("")}}, []string{illDirectory}, nil},
		{"bind refused", vitals{domains: []domainVitals{refused}}, []string{illBind, illDirectory}, []string{illBind}},
		{"no policy hints", vitals{domains: []domainVitals{noHints}}, []string{illHints}, nil},
		{"no right to the marker", vitals{domains: []domainVitals{denied}}, []string{illMarker}, nil},
		{"clock, just started", vitals{skew: "6 s ahead", warming: "too recent"}, []string{illClock, illWarming}, []string{illClock}},
		{"staging by configuration", vitals{staging: "as configured"}, []string{illStaging}, nil},
		{"staging by a domain", vitals{staging: "lacks b.example", missing: []string{"b.example"}}, []string{illMissingDomain, illStaging}, []string{illMissingDomain}},
		{"another's key", vitals{foreignKey: "not ours"}, []string{illForeignKey}, nil},
		{"key about to roll over", vitals{keyAge: 176 * day}, []string{illKeyExpiring}, nil},
		{"key just rolled over", vitals{oldKey: true}, []string{illKeyRolled}, nil},
		{"key overdue", vitals{keyAge: 185 * day}, []string{illKeyOverdue}, nil},
		{"key overdue, since the cloud is away", vitals{keyAge: 185 * day, renewal: "no route"}, []string{illCloud, illKeyOverdue}, []string{illCloud}},
	} {
		if tt.causes == nil {
			tt.causes = tt.all
		}
		got := tt.vitals.warnings()
		if codes := codesOf(got); !slices.Equal(codes, tt.all) {
			t.Errorf("%s: %v, want %v", tt.name, codes, tt.all)
		}
		if codes := codesOf(protocol.Causes(got)); !slices.Equal(codes, tt.causes) {
			t.Errorf("%s: caused by %v, want %v", tt.name, codes, tt.causes)
		}
	}
}

func codesOf(all []protocol.Warning) (codes []string) {
	for _, w := range all {
		codes = append(codes, w.Code)
	}
	return codes
}

// A heartbeat fits into a message, however much is wrong.
func TestAWorstHeartbeatCanBeSealed(t *testing.T) {
	v := vitals{skew: strings.Repeat("s", 2000), renewal: strings.Repeat("é", 1000)}
	h := protocol.Heartbeat{ID: "beat-1", Tenant: "contoso", AgentID: "agent-1", Mode: protocol.Active, IssuedAt: time.Now()}
	for i := range 64 {
		d := domainAt("")
		d.Domain = strings.Repeat("d", 1+i%40) + ".region.corp.example"
		d.Detail = strings.Repeat("x", protocol.MaxText)
		v.domains = append(v.domains, d)
		h.Domains = append(h.Domains, d.DomainState)
	}
	h.Health = v.warnings()
	shorten(h.Domains)
	key, err := protocol.NewPackageKey()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := protocol.SealHeartbeat(key, h); err != nil {
		t.Error(err)
	}
}
