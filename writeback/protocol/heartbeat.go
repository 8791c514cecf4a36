package protocol

import "fmt"

type sealedHeartbeat struct {
	Typ string `json:"typ"`
	Heartbeat
}

// SealHeartbeat makes the message of a heartbeat.
func SealHeartbeat(key PackageKey, h Heartbeat) (Message, error) {
	if err := h.validate(); err != nil {
		return Message{}, fmt.Errorf("heartbeat: %w", err)
	}
	body, err := seal(key, sealedHeartbeat{Typ: typHeartbeat, Heartbeat: h})
	if err != nil {
		return Message{}, err
	}
	return Message{Body: body, ID: h.ID, TTL: StatusTTL}, nil
}

// OpenHeartbeat opens a heartbeat with whichever of keys it names. Heartbeat.CheckFresh judges its age.
func OpenHeartbeat(keys []PackageKey, tenant string, m Message) (Heartbeat, error) {
	var s sealedHeartbeat
	if err := open(keys, m.Body, &s); err != nil {
		return Heartbeat{}, fmt.Errorf("heartbeat: %w", err)
	}
	if s.Typ != typHeartbeat {
		return Heartbeat{}, fmt.Errorf("heartbeat: it is a %.40q: %w", s.Typ, ErrMalformed)
	}
	if s.Tenant != tenant {
		return Heartbeat{}, fmt.Errorf("heartbeat: tenant %.60q: %w", s.Tenant, ErrForeignTenant)
	}
	if m.ID != s.ID {
		return Heartbeat{}, fmt.Errorf("heartbeat: the id on the wire is not the one sealed: %w", ErrTampered)
	}
	if err := s.validate(); err != nil {
		return Heartbeat{}, fmt.Errorf("heartbeat: %w", err)
	}
	return s.Heartbeat, nil
}

const (
	maxDomains = 64
	maxRelays  = 2
)

func (h Heartbeat) validate() error {
	switch {
	case h.ID == "" || h.AgentID == "" || h.IssuedAt.IsZero():
		return invalid("want an id, an agent id and a time")
	case h.Mode != Active && h.Mode != Staging:
		return invalid("mode %.40q: want active or staging", h.Mode)
	case len(h.Domains) > maxDomains || len(h.Relays) > maxRelays || len(h.Keys) > 2 || len(h.Health) > MaxWarnings:
		return invalid("want at most %d domains, %d relays, 2 keys and %d warnings", maxDomains, maxRelays, MaxWarnings)
	}
	for _, w := range h.Health {
		if err := w.validate(); err != nil {
			return err
		}
	}
	for _, d := range h.Domains {
		if d.DC != "" && !dnsName.MatchString(d.DC) || len(d.Detail) > MaxText {
			return invalid("domain %.60q: its DC or its detail", d.Domain)
		}
	}
	return nil
}
