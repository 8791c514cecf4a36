package fakead

// BindRequest on the wire, RFC 4511 4.2: simple and SASL. Of other credentials, Sicily's, only that they are is read.

import "fmt"

// A bindRequest is a decoded one.
type bindRequest struct {
	version  int64
	name     string
	simple   bool
	password string

	mechanism     string // of SASL; empty: another kind of credentials
	authorization string // the credentials of EXTERNAL, an authzId
}

// Format keeps the password out of logs, whatever the verb.
func (m *bindRequest) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "bind as %q", m.name) }

// decodeBind reads a request; nil if it is none, which is answered and does not end the connection.
func decodeBind(content []byte) *bindRequest {
	r := berReader{rest: content}
	m := &bindRequest{version: r.number(berInteger), name: r.text()}
	choice, credentials := r.next()
	if r.bad || r.more() || choice&berClass != berContext {
		return nil
	}
	switch choice {
	case berContext: // [0]
		m.simple, m.password = true, string(credentials)
	case berContext | berConstructed | 3:
		return m.decodeSASL(credentials)
	}
	return m
}

// decodeSASL reads SaslCredentials: a mechanism and what it says, if anything.
func (m *bindRequest) decodeSASL(content []byte) *bindRequest {
	r := berReader{rest: content}
	m.mechanism = r.text()
	if r.more() {
		if credentials := r.text(); m.mechanism == mechanismExternal {
			m.authorization = credentials
		}
	}
	if r.bad || r.more() || m.mechanism == "" {
		return nil
	}
	return m
}
