package amqp

// Source and target (3.5.3, 3.5.4) with the terminus attributes. The coordinator target of part 4 cannot be accepted.

// Source is where a link's messages come from.
type Source struct {
	Address               string // "": none
	Durable               uint32 // terminus-durability: 0 none, 1 configuration, 2 unsettled-state
	ExpiryPolicy          Symbol // "": session-end
	Timeout               uint32 // seconds
	Dynamic               bool
	DynamicNodeProperties Map
	DistributionMode      Symbol // "": none; move or copy
	Filter                Map    // symbol to Described, or nil
	DefaultOutcome        DeliveryState
	Outcomes              []Symbol
	Capabilities          []Symbol
}

// Target is where a link's messages go to.
type Target struct {
	Address               string // "": none
	Durable               uint32 // as in Source
	ExpiryPolicy          Symbol // "": session-end
	Timeout               uint32 // seconds
	Dynamic               bool
	DynamicNodeProperties Map
	Capabilities          []Symbol
}

func (s *Source) descriptor() uint64 { return codeSource }

func (s *Source) fields() List {
	return List{
		omit(s.Address, ""), omit(s.Durable, 0), omit(s.ExpiryPolicy, ""), omit(s.Timeout, 0), omit(s.Dynamic, false),
		omitMap(s.DynamicNodeProperties), omit(s.DistributionMode, ""), omitMap(s.Filter), stateValue(s.DefaultOutcome),
		symbols(s.Outcomes), symbols(s.Capabilities),
	}
}

func (s *Source) read(r *fieldReader) {
	s.Address = optional(r, "address", "")
	s.Durable = optional(r, "durable", uint32(0))
	s.ExpiryPolicy = optional(r, "expiry-policy", Symbol(""))
	s.Timeout = optional(r, "timeout", uint32(0))
	s.Dynamic = optional(r, "dynamic", false)
	s.DynamicNodeProperties = optional(r, "dynamic-node-properties", Map(nil))
	s.DistributionMode = optional(r, "distribution-mode", Symbol(""))
	s.Filter = optional(r, "filter", Map(nil))
	s.DefaultOutcome = readState(r, "default-outcome")
	s.Outcomes = readSymbols(r, "outcomes")
	s.Capabilities = readSymbols(r, "capabilities")
}

func (t *Target) descriptor() uint64 { return codeTarget }

func (t *Target) fields() List {
	return List{
		omit(t.Address, ""), omit(t.Durable, 0), omit(t.ExpiryPolicy, ""), omit(t.Timeout, 0), omit(t.Dynamic, false),
		omitMap(t.DynamicNodeProperties), symbols(t.Capabilities),
	}
}

func (t *Target) read(r *fieldReader) {
	t.Address = optional(r, "address", "")
	t.Durable = optional(r, "durable", uint32(0))
	t.ExpiryPolicy = optional(r, "expiry-policy", Symbol(""))
	t.Timeout = optional(r, "timeout", uint32(0))
	t.Dynamic = optional(r, "dynamic", false)
	t.DynamicNodeProperties = optional(r, "dynamic-node-properties", Map(nil))
	t.Capabilities = readSymbols(r, "capabilities")
}
