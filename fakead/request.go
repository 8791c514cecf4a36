package fakead

import (
	"crypto/tls"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// A request is one LDAP operation on its way through a handler.
type request struct {
	session   *session
	conn      *connection
	id        int64   // messageID
	operation ber.Tag // of the protocolOp, one of the operation constants
	body      []byte  // the protocolOp as it came
	controls  []control

	// of the operation, one of these
	bind    *bindRequest
	search  *searchRequest
	modify  *modifyRequest
	message *ber.Packet // body, decoded, of any other

	names   nameForm    // how the answer of a search writes names
	answer  berWriter   // what is to be sent before the result, and with it
	upgrade *tls.Config // set by StartTLS: what to secure the connection with once that is answered
}

// A handler serves one operation. Parsing is done before; whatever it touches of the directory, it locks.
type handler func(*request) result

// A control of a request or a response.
type control struct {
	oid      string
	critical bool
	value    []byte // nil: none
}

// A result is what every operation ends with.
type result struct {
	code      int
	matched   string
	text      string // diagnosticMessage, with Windows' own ending
	referrals []string
	controls  []control
	// of an extended response
	name  string
	value []byte
}

// control finds a control of the request by its OID.
func (r *request) control(oid string) (control, bool) {
	for _, c := range r.controls {
		if c.oid == oid {
			return c, true
		}
	}
	return control{}, false
}
