package amqp

// Bodies of the SASL frames (5.3.3).

type saslMechanisms struct{ Mechanisms []Symbol }

type saslInit struct {
	Mechanism       Symbol
	InitialResponse []byte
	Hostname        string
}

type saslChallenge struct{ Challenge []byte }

type saslResponse struct{ Response []byte }

type saslOutcome struct {
	Code           SASLCode
	AdditionalData []byte
}

func (m *saslMechanisms) descriptor() uint64 { return codeSASLMechanisms }

// An array even of one: the field is mandatory, and some clients read nothing else.
func (m *saslMechanisms) fields() List { return List{ArrayOf(m.Mechanisms...)} }

func (m *saslMechanisms) read(r *fieldReader) {
	m.Mechanisms = readSymbols(r, "sasl-server-mechanisms")
}

func (i *saslInit) descriptor() uint64 { return codeSASLInit }

func (i *saslInit) fields() List {
	return List{i.Mechanism, omitBinary(i.InitialResponse), omit(i.Hostname, "")}
}

func (i *saslInit) read(r *fieldReader) {
	i.Mechanism = required[Symbol](r, "mechanism")
	i.InitialResponse = optional(r, "initial-response", []byte(nil))
	i.Hostname = optional(r, "hostname", "")
}

func (c *saslChallenge) descriptor() uint64 { return codeSASLChallenge }

func (c *saslChallenge) fields() List { return List{c.Challenge} }

func (c *saslChallenge) read(r *fieldReader) { c.Challenge = required[[]byte](r, "challenge") }

func (s *saslResponse) descriptor() uint64 { return codeSASLResponse }

func (s *saslResponse) fields() List { return List{s.Response} }

func (s *saslResponse) read(r *fieldReader) { s.Response = required[[]byte](r, "response") }

func (o *saslOutcome) descriptor() uint64 { return codeSASLOutcome }

func (o *saslOutcome) fields() List { return List{uint8(o.Code), omitBinary(o.AdditionalData)} }

func (o *saslOutcome) read(r *fieldReader) {
	o.Code = SASLCode(required[uint8](r, "code"))
	o.AdditionalData = optional(r, "additional-data", []byte(nil))
}
