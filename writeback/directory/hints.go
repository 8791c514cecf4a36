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

// policyHints is always critical: a controller that would ignore it must refuse.
func policyHints(oid string) ldap.Control {
	value := ber.NewSequence("PolicyHintsRequestValue")
	value.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, applyFullPolicy, "Flags"))
	return ldap.NewControlString(oid, true, string(value.Bytes()))
}
