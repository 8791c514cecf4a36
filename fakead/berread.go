package fakead

// Reading BER (X.690) as LDAP restricts it (RFC 4511 5.1): definite lengths, in one octet or more, and strings in one
// piece. What is read are slices of the PDU, which nobody writes to.

// The identifier octets of the universal types that LDAP uses.
const (
	berBoolean     = 0x01
	berInteger     = 0x02
	berOctetString = 0x04
	berEnumerated  = 0x0a
	berSequence    = 0x30
	berSet         = 0x31
)

// The bits of an identifier octet.
const (
	berConstructed = 0x20
	berApplication = 0x40
	berContext     = 0x80
	berClass       = 0xc0
	berNumber      = 0x1f
)

// A berReader takes one element after the other. Once something was not what it had to be, bad stays set and
// nothing is left to read.
type berReader struct {
	rest []byte
	bad  bool
}

// more tells whether an element follows.
func (r *berReader) more() bool { return len(r.rest) > 0 }

// follows tells whether an element with this identifier comes next.
func (r *berReader) follows(identifier byte) bool { return r.more() && r.rest[0] == identifier }

// next takes an element of any kind.
func (r *berReader) next() (identifier byte, content []byte) {
	length, start, err := elementLength(r.rest)
	if err != nil || length > len(r.rest)-start {
		r.fail()
		return 0, nil
	}
	identifier, content = r.rest[0], r.rest[start:start+length]
	r.rest = r.rest[start+length:]
	return identifier, content
}

// take takes an element that has to have this identifier.
func (r *berReader) take(identifier byte) []byte {
	got, content := r.next()
	if got != identifier {
		r.fail()
		return nil
	}
	return content
}

func (r *berReader) fail() { r.rest, r.bad = nil, true }

// inside takes a constructed element and reads in it.
func (r *berReader) inside(identifier byte) berReader {
	return berReader{rest: r.take(identifier), bad: r.bad}
}

func (r *berReader) text() string { return string(r.take(berOctetString)) }

// number takes an INTEGER or an ENUMERATED of at most 8 octets.
func (r *berReader) number(identifier byte) int64 {
	content := r.take(identifier)
	if len(content) == 0 || len(content) > 8 {
		r.fail()
		return 0
	}
	n := int64(int8(content[0]))
	for _, b := range content[1:] {
		n = n<<8 | int64(b)
	}
	return n
}

func (r *berReader) boolean() bool {
	content := r.take(berBoolean)
	if len(content) != 1 {
		r.fail()
		return false
	}
	return content[0] != 0
}
