package amqp

import (
	"bytes"
	"fmt"
)

// SASL (5.3), the server's part: mechanisms, init, any number of challenges and responses, outcome.

// SASLCode is the outcome of a SASL exchange (5.3.3.6).
type SASLCode uint8

// SASL codes.
const (
	SASLOK      SASLCode = 0
	SASLAuth    SASLCode = 1 // bad credentials
	SASLSys     SASLCode = 2 // system error
	SASLSysPerm SASLCode = 3 // system error that will stay
	SASLSysTemp SASLCode = 4 // system error that may pass
)

// A Mechanism is a way to authenticate that the server offers.
type Mechanism struct {
	Name Symbol
	// Authenticate decides; it runs on the connection's goroutine, before any callback. Default: everyone is let in.
	Authenticate func(*SASLExchange) SASLCode
}

// A SASLExchange is what an Authenticate sees of its peer.
type SASLExchange struct {
	Response []byte // the initial response; nil: there was none
	Hostname string // "": none
	conn     *Conn
}

// Challenge sends a challenge and waits for the response.
func (x *SASLExchange) Challenge(challenge []byte) (response []byte, err error) {
	if err := x.conn.writeNow(frameSASL, &saslChallenge{challenge}); err != nil {
		return nil, err
	}
	var r *saslResponse
	if r, err = readSASL[saslResponse](x.conn); err != nil {
		return nil, err
	}
	return r.Response, nil
}

// Anonymous is the mechanism ANONYMOUS (RFC 4505): everyone is let in, whatever trace they leave.
func Anonymous() Mechanism { return Mechanism{Name: "ANONYMOUS"} }

// Plain is the mechanism PLAIN (RFC 4616). check is given what the peer sent; an authorization identity is ignored.
func Plain(check func(user, password string) bool) Mechanism {
	return Mechanism{Name: "PLAIN", Authenticate: func(x *SASLExchange) SASLCode {
		response := x.Response
		if response == nil {
			var err error
			if response, err = x.Challenge([]byte{}); err != nil {
				return SASLSys
			}
		}
		parts := bytes.Split(response, []byte{0})
		if len(parts) != 3 || !check(string(parts[1]), string(parts[2])) {
			return SASLAuth
		}
		return SASLOK
	}}
}

// authenticate runs the exchange. A peer that chooses what was not offered, or fails, gets an outcome, then the
// connection ends.
func (c *Conn) authenticate() error {
	offered := make([]Symbol, len(c.cfg.Mechanisms))
	for i, m := range c.cfg.Mechanisms {
		offered[i] = m.Name
	}
	if err := c.writeNow(frameSASL, &saslMechanisms{offered}); err != nil {
		return err
	}
	begin, err := readSASL[saslInit](c)
	if err != nil {
		return err
	}
	code := SASLAuth
	for _, m := range c.cfg.Mechanisms {
		if m.Name != begin.Mechanism {
			continue
		}
		code = SASLOK
		if m.Authenticate != nil {
			code = m.Authenticate(&SASLExchange{Response: begin.InitialResponse, Hostname: begin.Hostname, conn: c})
		}
	}
	if err := c.writeNow(frameSASL, &saslOutcome{Code: code}); err != nil {
		return err
	}
	c.mu.Lock()
	c.mechanism = begin.Mechanism
	c.mu.Unlock()
	if code != SASLOK {
		return fmt.Errorf("amqp: SASL %q ended with the code %d", begin.Mechanism, code)
	}
	return nil
}

func readSASL[T any](c *Conn) (*T, error) {
	_, body, err := c.readFrame(frameSASL)
	if err != nil {
		return nil, err
	}
	p, _, err := parsePerformative(body)
	if err != nil {
		return nil, err
	}
	t, ok := any(p).(*T)
	if !ok {
		return nil, Errorf(CondNotAllowed, "SASL: a %s out of turn", performatives[p.descriptor()].name)
	}
	return t, nil
}
