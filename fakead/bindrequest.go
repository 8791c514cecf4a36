package fakead

// BindRequest on the wire, RFC 4511 4.2. Of credentials that are not simple only that is read.

import "fmt"

// A bindRequest is a decoded one.
type bindRequest struct {
	version  int64
	name     string
	simple   bool
	password string
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
	if m.simple = choice == berContext; m.simple { // [0]
		m.password = string(credentials)
	}
	return m
}
