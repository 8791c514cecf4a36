package directory

// The policy-hints control: an administrative set under the whole password policy, history and minimum age too
// (MS-ADTS 3.1.1.3.4.1.27, LDAP_SERVER_POLICY_HINTS_OID, and its older number). go-ldap knows the numbers only.

import (
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// offeredHints picks the control's number from supportedControl.
func offeredHints(supported []string) string {
	for _, oid := range []string{ldap.ControlTypeMicrosoftPolicyHints, ldap.ControlTypeMicrosoftPolicyHintsDeprecated} {
		if slices.Contains(supported, oid) {
			return oid
		}
	}
	return ""
}

// applyFullPolicy is the control's only flag that has an effect.
const applyFullPolicy = 1

// policyHints is the control of this number. It is always critical: a controller that would ignore it must refuse.
// The criticality is written as RFC 4511 5.1 has it, TRUE being 0xFF: go-ldap's own controls write 0x01, which Samba
// reads as FALSE.
type policyHints string

// GetControlType implements ldap.Control.
func (h policyHints) GetControlType() string { return string(h) }

// String implements ldap.Control.
func (h policyHints) String() string { return "policy hints (" + string(h) + "), critical" }

// Encode implements ldap.Control.
func (h policyHints) Encode() *ber.Packet {
	value := ber.NewSequence("PolicyHintsRequestValue")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, applyFullPolicy, "Flags"))
	control := ber.NewSequence("Control")
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(h), "controlType"))
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, "\xff", "criticality"))
	control.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, string(value.Bytes()), "controlValue"))
	return control
}
