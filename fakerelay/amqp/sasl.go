package amqp

// SASLCode is the outcome of a SASL exchange (5.3.3.6).
type SASLCode uint8

// SASL codes.
const (
	SASLOK      SASLCode = 0
	SASLAuth    SASLCode = 1 // bad credentials
	SASLSys     SASLCode = 2 // system error
	SASLSysPerm SASLCode = 3
	SASLSysTemp SASLCode = 4
)

// A Mechanism is a way to authenticate that the server offers.
type Mechanism struct {
	Name Symbol
	// Authenticate decides; it runs on the connection's goroutine, before any callback. Default: everyone is let in.
	Authenticate func(*SASLExchange) SASLCode
}

// A SASLExchange is what an Authenticate sees of its peer.
type SASLExchange struct {
	Mechanism Symbol
	Response  []byte // the initial response; nil: there was none
	Hostname  string // "": none
}

// Challenge sends a challenge and waits for the response.
func (x *SASLExchange) Challenge(challenge []byte) (response []byte, err error) { panic("unbuilt") }

// Anonymous is the mechanism ANONYMOUS (RFC 4505): everyone is let in, whatever trace they leave.
func Anonymous() Mechanism { return Mechanism{Name: "ANONYMOUS"} }

// Plain is the mechanism PLAIN (RFC 4616). check is given what the peer sent; an authorization identity is ignored.
func Plain(check func(user, password string) bool) Mechanism { panic("unbuilt") }
