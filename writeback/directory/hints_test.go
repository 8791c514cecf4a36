package directory

import (
	"bytes"
	"testing"

	"github.com/go-ldap/ldap/v3"
)

// RFC 4511 5.1: TRUE is 0xFF; a server that holds to it reads anything else as not critical.
func TestPolicyHintsAreCriticalOnTheWire(t *testing.T) {
	want := append([]byte("\x30\x23\x04\x17"), "1.2.840.113556.1.4.2239"...)
	want = append(want, "\x01\x01\xff\x04\x05\x30\x03\x02\x01\x01"...)
	if got := policyHints(ldap.ControlTypeMicrosoftPolicyHints).Encode().Bytes(); !bytes.Equal(got, want) {
		t.Errorf("encoded as % x, want % x", got, want)
	}
}
