package amqp

import "fmt"

// Descriptors of the standard's composite types. Each has a numeric and a symbolic form; peers may use either.
const (
	codeOpen        uint64 = 0x10
	codeBegin       uint64 = 0x11
	codeAttach      uint64 = 0x12
	codeFlow        uint64 = 0x13
	codeTransfer    uint64 = 0x14
	codeDisposition uint64 = 0x15
	codeDetach      uint64 = 0x16
	codeEnd         uint64 = 0x17
	codeClose       uint64 = 0x18
	codeError       uint64 = 0x1d

	codeReceived uint64 = 0x23
	codeAccepted uint64 = 0x24
	codeRejected uint64 = 0x25
	codeReleased uint64 = 0x26
	codeModified uint64 = 0x27
	codeSource   uint64 = 0x28
	codeTarget   uint64 = 0x29

	codeSASLMechanisms uint64 = 0x40
	codeSASLInit       uint64 = 0x41
	codeSASLChallenge  uint64 = 0x42
	codeSASLResponse   uint64 = 0x43
	codeSASLOutcome    uint64 = 0x44

	codeHeader                uint64 = 0x70
	codeDeliveryAnnotations   uint64 = 0x71
	codeMessageAnnotations    uint64 = 0x72
	codeProperties            uint64 = 0x73
	codeApplicationProperties uint64 = 0x74
	codeData                  uint64 = 0x75
	codeSequence              uint64 = 0x76
	codeValue                 uint64 = 0x77
	codeFooter                uint64 = 0x78
)

var descriptorNames = map[Symbol]uint64{
	"amqp:open:list": codeOpen, "amqp:begin:list": codeBegin, "amqp:attach:list": codeAttach, "amqp:flow:list": codeFlow,
	"amqp:transfer:list": codeTransfer, "amqp:disposition:list": codeDisposition, "amqp:detach:list": codeDetach,
	"amqp:end:list": codeEnd, "amqp:close:list": codeClose, "amqp:error:list": codeError,
	"amqp:received:list": codeReceived, "amqp:accepted:list": codeAccepted, "amqp:rejected:list": codeRejected,
	"amqp:released:list": codeReleased, "amqp:modified:list": codeModified,
	"amqp:source:list": codeSource, "amqp:target:list": codeTarget,
	"amqp:sasl-mechanisms:list": codeSASLMechanisms, "amqp:sasl-init:list": codeSASLInit, "amqp:sasl-challenge:list": codeSASLChallenge,
	"amqp:sasl-response:list": codeSASLResponse, "amqp:sasl-outcome:list": codeSASLOutcome,
	"amqp:header:list": codeHeader, "amqp:delivery-annotations:map": codeDeliveryAnnotations,
	"amqp:message-annotations:map": codeMessageAnnotations, "amqp:properties:list": codeProperties,
	"amqp:application-properties:map": codeApplicationProperties, "amqp:data:binary": codeData,
	"amqp:amqp-sequence:list": codeSequence, "amqp:amqp-value:*": codeValue, "amqp:footer:map": codeFooter,
}

// descriptorName writes a descriptor for an error description, cut where a peer's is long.
func descriptorName(descriptor any) string {
	switch d := descriptor.(type) {
	case uint64:
		return fmt.Sprintf("0x%02x", d)
	case Symbol:
		return fmt.Sprintf("%.64q", string(d))
	}
	return "of the type " + typeName(descriptor)
}

// descriptorCode gives a descriptor's numeric form, 0 for what the standard does not define.
func descriptorCode(descriptor any) uint64 {
	switch d := descriptor.(type) {
	case uint64:
		return d
	case Symbol:
		return descriptorNames[d]
	}
	return 0
}
