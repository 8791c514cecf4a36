package fakead

// LDAP_SERVER_POLICY_HINTS_OID and its deprecated forerunner, MS-ADTS 3.1.1.3.4.1.27: with flags 1 a reset obeys
// history and minimum age as a change does.

const (
	oidPolicyHints           = "1.2.840.113556.1.4.2239"
	oidPolicyHintsDeprecated = "1.2.840.113556.1.4.2066"
	hintsApply               = 1
)

// policyHints tells whether a request carries hints that apply. A value that is none is an error where the
// control is critical, and ignored where it is not.
func (s *Server) policyHints(req *request) (apply, ok bool) {
	for _, oid := range []string{oidPolicyHints, oidPolicyHintsDeprecated} {
		c, present := req.control(oid)
		if !present || !s.supportsControl(oid) {
			continue
		}
		flags, valid := hintsFlags(c.value)
		if !valid && c.critical {
			return false, false
		}
		apply = apply || valid && flags == hintsApply
	}
	return apply, true
}

// hintsFlags reads SEQUENCE { Flags INTEGER }. Lengths may be of the long form, as Windows clients send them.
func hintsFlags(value []byte) (flags int, valid bool) {
	const sequence, integer = 0x30, 0x02
	content, ok := element(value, sequence)
	if !ok {
		return 0, false
	}
	number, ok := element(content, integer)
	if !ok || len(number) == 0 || len(number) > 4 {
		return 0, false
	}
	for _, b := range number {
		flags = flags<<8 | int(b)
	}
	return flags, true
}

// element returns the content of b, which has to be one element with that tag and nothing after it.
func element(b []byte, tag byte) ([]byte, bool) {
	length, start, err := elementLength(b)
	if err != nil || b[0] != tag || length != len(b)-start {
		return nil, false
	}
	return b[start:], true
}
