package fakead

// LDAPMessage, LDAPResult and the notice of disconnection, RFC 4511 4.1.1, 4.1.9 and 4.4.1, for what gldap
// cannot express: referrals, controls on any response, extended response names and values, references.

import (
	ber "github.com/go-asn1-ber/asn1-ber"
)

// The tags of RFC 4511's protocolOps.
const (
	tagBind             ber.Tag = 0
	tagUnbind           ber.Tag = 2
	tagSearch           ber.Tag = 3
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
	codeInvalidSyntax         = 21
	codeInvalidCredentials    = 49
	codeInsufficientAccess    = 50
	codeUnavailable           = 52
	codeUnwillingToPerform    = 53
	codeOther                 = 80
)

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

func octetString(s string) *ber.Packet {
	return ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, s, "")
}

// encodeResult makes the protocolOp of a response.
func encodeResult(tag ber.Tag, res result) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, tag, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(res.code), ""))
	p.AppendChild(octetString(res.matched))
	p.AppendChild(octetString(res.text))
	if len(res.referrals) > 0 {
		referral := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "")
		for _, u := range res.referrals {
			referral.AppendChild(octetString(u))
		}
		p.AppendChild(referral)
	}
	return p
}

// encodeMessage wraps a protocolOp and controls.
func encodeMessage(id int64, operation *ber.Packet, controls []control) *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(operation)
	if len(controls) > 0 {
		list := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range controls {
			list.AppendChild(encodeControl(c))
		}
		p.AppendChild(list)
	}
	return p
}

func encodeControl(c control) *ber.Packet {
	p := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "")
	p.AppendChild(octetString(c.oid))
	if c.critical {
		p.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	}
	if c.value != nil {
		p.AppendChild(octetString(string(c.value)))
	}
	return p
}

// appendExtended adds the name and value of an extended response (RFC 4511 4.12).
func appendExtended(p *ber.Packet, res result) {
	if res.name != "" {
		p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 10, res.name, ""))
	}
	if res.value != nil {
		p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 11, string(res.value), ""))
	}
}

// noticeOfDisconnection is the unsolicited response that a server sends before it closes a connection.
func noticeOfDisconnection(code int, text string) *ber.Packet {
	res := result{code: code, text: text, name: oidNoticeOfDisconnect}
	p := encodeResult(tagExtendedResponse, res)
	appendExtended(p, res)
	return encodeMessage(0, p, nil)
}
