package fakead

// LDAPMessage, LDAPResult, the controls and the notice of disconnection: RFC 4511 4.1.1, 4.1.9, 4.1.11 and 4.4.1.

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// The tags of RFC 4511's protocolOps.
const (
	tagBind             ber.Tag = 0
	tagUnbind           ber.Tag = 2
	tagSearch           ber.Tag = 3
	tagSearchEntry      ber.Tag = 4
	tagSearchDone       ber.Tag = 5
	tagModify           ber.Tag = 6
	tagAdd              ber.Tag = 8
	tagDelete           ber.Tag = 10
	tagModifyDN         ber.Tag = 12
	tagCompare          ber.Tag = 14
	tagAbandon          ber.Tag = 16
	tagSearchReference  ber.Tag = 19
	tagExtended         ber.Tag = 23
	tagExtendedResponse ber.Tag = 24
)

const oidNoticeOfDisconnect = "1.3.6.1.4.1.1466.20036"

// Result codes of RFC 4511 4.1.9 that this server uses.
const (
	codeSuccess               = 0
	codeOperationsError       = 1
	codeProtocolError         = 2
	codeSizeLimitExceeded     = 4
	codeCompareFalse          = 5
	codeCompareTrue           = 6
	codeAuthMethodUnsupported = 7
	codeStrongerAuthRequired  = 8
	codeReferral              = 10
	codeCriticalUnavailable   = 12
	codeNoSuchAttribute       = 16
	codeConstraintViolation   = 19
	codeAttributeOrValue      = 20
	codeInappropriateMatching = 18
	codeInvalidSyntax         = 21
	codeInvalidCredentials    = 49
	codeInsufficientAccess    = 50
	codeUnavailable           = 52
	codeUnwillingToPerform    = 53
	codeSortControlMissing    = 60
	codeOther                 = 80
)

const controlsIdentifier = berContext | berConstructed // [0] of an LDAPMessage

func responseTag(operation ber.Tag) ber.Tag {
	switch operation {
	case tagSearch:
		return tagSearchDone
	case tagExtended:
		return tagExtendedResponse
	default:
		return operation + 1
	}
}

// decodeRequest checks a PDU and decodes its envelope, messageID, protocolOp and controls, and the operations that
// are not left to gldap.
func decodeRequest(pdu []byte) (*request, error) {
	elements := maxElements
	if err := scan(pdu, maxDepth, &elements); err != nil {
		return nil, err
	}
	outer := berReader{rest: pdu}
	m := outer.inside(berSequence)
	const maxID = 1<<31 - 1
	req := &request{id: m.number(berInteger)}
	whole := m.rest
	identifier, content := m.next()
	req.operation, req.body = ber.Tag(identifier&berNumber), whole[:len(whole)-len(m.rest)]
	if m.more() {
		req.controls = decodeControls(&m)
	}
	if m.bad || m.more() || req.id < 1 || req.id > maxID || identifier&berClass != berApplication {
		return nil, errUndecodable
	}
	return req, req.decode(identifier&berConstructed != 0, content)
}

// decode reads the operation.
func (r *request) decode(constructed bool, content []byte) (err error) {
	switch r.operation {
	case tagUnbind, tagAbandon:
		return nil
	case tagBind:
		r.bind = decodeBind(content)
	case tagSearch:
		r.search, err = decodeSearch(content)
	case tagModify:
		r.modify, err = decodeModify(content)
	default:
		return r.decodeForOthers()
	}
	if !constructed {
		return errUndecodable
	}
	return err
}

// decodeForOthers reads an operation for handlers that take it apart themselves.
func (r *request) decodeForOthers() error {
	p, err := ber.DecodePacketErr(r.body)
	if err != nil {
		return errUndecodable
	}
	r.message = p
	return nil
}

// decodeControls reads what follows the protocolOp.
func decodeControls(m *berReader) []control {
	list := m.inside(controlsIdentifier)
	controls := []control{}
	for list.more() {
		c := list.inside(berSequence)
		one := control{oid: c.text()}
		if c.follows(berBoolean) {
			one.critical = c.boolean()
		}
		if c.more() {
			one.value = c.take(berOctetString)
		}
		list.bad = list.bad || c.bad || c.more()
		controls = append(controls, one)
	}
	m.bad = m.bad || list.bad
	return controls
}

// forGldap is the request without its controls, whose oddities gldap's decoder would drop the connection for.
func forGldap(req *request) []byte {
	var w berWriter
	m := w.open(berSequence)
	w.number(berInteger, req.id)
	w.out = append(w.out, req.body...)
	w.close(m)
	return w.out
}

// message writes an LDAPMessage around one protocolOp.
func (w *berWriter) message(id int64, operation ber.Tag, controls []control, content func()) {
	m := w.open(berSequence)
	w.number(berInteger, id)
	op := w.open(berApplication | berConstructed | byte(operation))
	content()
	w.close(op)
	if len(controls) > 0 {
		list := w.open(controlsIdentifier)
		for _, c := range controls {
			w.control(c)
		}
		w.close(list)
	}
	w.close(m)
}

func (w *berWriter) control(c control) {
	sequence := w.open(berSequence)
	w.text(berOctetString, c.oid)
	if c.critical {
		w.octets(berBoolean, []byte{0xff})
	}
	if c.value != nil {
		w.octets(berOctetString, c.value)
	}
	w.close(sequence)
}

// result writes the response that ends an operation; an extended one (RFC 4511 4.12) may have a name and a value.
func (w *berWriter) result(id int64, tag ber.Tag, res result) {
	const referral, responseName, responseValue = berContext | berConstructed | 3, berContext | 10, berContext | 11
	w.message(id, tag, res.controls, func() {
		w.number(berEnumerated, int64(res.code))
		w.text(berOctetString, res.matched)
		w.text(berOctetString, res.text)
		if len(res.referrals) > 0 {
			list := w.open(referral)
			for _, u := range res.referrals {
				w.text(berOctetString, u)
			}
			w.close(list)
		}
		if tag == tagExtendedResponse && res.name != "" {
			w.text(responseName, res.name)
		}
		if tag == tagExtendedResponse && res.value != nil {
			w.octets(responseValue, res.value)
		}
	})
}

// noticeOfDisconnection is the unsolicited response that a server sends before it closes a connection.
func noticeOfDisconnection(code int, text string) []byte {
	var w berWriter
	w.result(0, tagExtendedResponse, result{code: code, text: text, name: oidNoticeOfDisconnect})
	return w.out
}
