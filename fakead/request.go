package fakead

import (
	"bytes"
	"crypto/tls"

	ber "github.com/go-asn1-ber/asn1-ber"
)

// A request is one LDAP operation on its way through a handler.
type request struct {
	session   *session
	conn      *connection
	id        int64       // messageID
	operation ber.Tag     // of the protocolOp, one of the operation constants
	message   *ber.Packet // the protocolOp as it came, for what gldap's decoder drops
	controls  []control
	entries   func(dn string, attributes []attribute) error
	upgrade   *tls.Config // set by StartTLS: what to secure the connection with once that is answered
}

// A handler serves one operation. Parsing is done before; whatever it touches of the directory, it locks.
type handler func(*request) result

// A control of a request or a response, with its criticality, which gldap loses.
type control struct {
	oid      string
	critical bool
	value    []byte // nil: none
}

// An attribute of a search result entry; the values are raw bytes.
type attribute struct {
	name   string
	values []string
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

// entry sends one search result entry. An error means that the client has gone.
func (r *request) entry(dn string, attributes []attribute) error { return r.entries(dn, attributes) }

// reference sends one search continuation reference, which gldap cannot.
func (r *request) reference(urls ...string) error {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tagSearchReference, nil, "")
	for _, u := range urls {
		p.AppendChild(octetString(u))
	}
	return r.conn.write(encodeMessage(r.id, p, nil))
}

// decodeControls reads the controls of an LDAPMessage (RFC 4511 4.1.11).
func decodeControls(p *ber.Packet) ([]control, error) {
	if p.ClassType != ber.ClassContext || p.TagType != ber.TypeConstructed || p.Tag != 0 {
		return nil, errUndecodable
	}
	controls := make([]control, 0, len(p.Children))
	for _, sequence := range p.Children {
		c, err := decodeControl(sequence)
		if err != nil {
			return nil, err
		}
		controls = append(controls, c)
	}
	return controls, nil
}

func decodeControl(sequence *ber.Packet) (control, error) {
	parts := sequence.Children
	if !isUniversal(sequence, ber.TagSequence) || len(parts) < 1 || len(parts) > 3 || !isUniversal(parts[0], ber.TagOctetString) {
		return control{}, errUndecodable
	}
	c := control{oid: parts[0].Data.String()}
	rest := parts[1:]
	if len(rest) > 0 && isUniversal(rest[0], ber.TagBoolean) {
		c.critical = !bytes.Equal(rest[0].Data.Bytes(), []byte{0})
		rest = rest[1:]
	}
	if len(rest) > 0 {
		if len(rest) > 1 || !isUniversal(rest[0], ber.TagOctetString) {
			return control{}, errUndecodable
		}
		c.value = append([]byte{}, rest[0].Data.Bytes()...)
	}
	return c, nil
}

func isUniversal(p *ber.Packet, tag ber.Tag) bool {
	return p.ClassType == ber.ClassUniversal && p.Tag == tag
}
