// Package replication decides, as Active Directory's multimaster replication does, who wrote a value last and what a
// partner does not have yet. It keeps stamps only: it knows nothing of values, of LDAP, or of how partners talk.
//
// Sources: MS-ADTS 3.1.1.1.9 (replication metadata) and 3.1.1.1.11 (up-to-dateness vectors), MS-DRSR 4.1.10.5.
package replication

import (
	"bytes"
	"cmp"
	"time"
)

// A GUID names an object (objectGUID) or a directory system agent (invocationId).
type GUID = [16]byte

// A Stamp is who wrote a value last: AttributeStamp and LinkValueStamp of MS-DRSR.
type Stamp struct {
	Version uint32    // 1 at the first write, one more at each
	Time    time.Time // of the originating update, in whole seconds
	Origin  GUID      // invocationId of the domain controller that it was made on
	USN     int64     // of that controller
	Created time.Time // of a link's value: when it was first written
}

// Beats tells whether s prevails over another stamp of the same value: the higher version, or else the later time, or
// else the greater invocationId. The last writer wins only where both counted alike.
func (s Stamp) Beats(other Stamp) bool {
	return cmp.Or(cmp.Compare(s.Version, other.Version), s.Time.Compare(other.Time), bytes.Compare(s.Origin[:], other.Origin[:])) > 0
}

// A Vector is an up-to-dateness vector: of each domain controller, the last USN whose originating updates are all
// known.
type Vector map[GUID]int64

// Covers tells whether the update of that stamp is known.
func (v Vector) Covers(s Stamp) bool { return s.USN <= v[s.Origin] }

// Merge adds what another vector covers.
func (v Vector) Merge(other Vector) {
	for dsa, usn := range other {
		v[dsa] = max(v[dsa], usn)
	}
}
