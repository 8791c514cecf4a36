package fakead

// What is told of replication metadata (MS-ADTS 3.1.1.1.9, 3.1.1.4.5): msDS-ReplAttributeMetaData and
// msDS-ReplValueMetaData in XML, whose values end in a newline and NUL and escape nothing, or with ;binary as the
// structures of ntdsapi.h; and replPropertyMetaData, bytes whose form MS-DRSR gives (PROPERTY_META_DATA_VECTOR).
// Who may read them: MS-ADTS 3.1.1.4.4.
//
// Secrets have metadata as all attributes, which tells when a password was set and by whom. All five attributes that the
// SAM writes with a password (MS-SAMR 3.1.1.8.7) have one stamp, though a hash of LAN Manager's is never kept here.
//
// Left out on purpose: msDS-ReplValueMetaDataExt, values of links to what is deleted, the metadata of tombstones,
// the end of what is kept of a link's value after the tombstone lifetime.

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"slices"
	"time"
	"unicode/utf16"

	"passback/fakead/replication"
	"passback/fakead/tree"
)

const (
	propertyMetadata  = "replPropertyMetaData"
	attributeMetadata = "msDS-ReplAttributeMetaData"
	valueMetadata     = "msDS-ReplValueMetaData"
)

const formatAttributeMetadata = `<DS_REPL_ATTR_META_DATA>
	<pszAttributeName>%s</pszAttributeName>
	<dwVersion>%d</dwVersion>
	<ftimeLastOriginatingChange>%s</ftimeLastOriginatingChange>
	<uuidLastOriginatingDsaInvocationID>%s</uuidLastOriginatingDsaInvocationID>
	<usnOriginatingChange>%d</usnOriginatingChange>
	<usnLocalChange>%d</usnLocalChange>
	<pszLastOriginatingDsaDN>%s</pszLastOriginatingDsaDN>
</DS_REPL_ATTR_META_DATA>
` + "\x00"

const formatValueMetadata = `<DS_REPL_VALUE_META_DATA>
	<pszAttributeName>%s</pszAttributeName>
	<pszObjectDn>%s</pszObjectDn>
	<cbData>0</cbData>
	<pbData></pbData>
	<ftimeDeleted>%s</ftimeDeleted>
	<ftimeCreated>%s</ftimeCreated>
	<dwVersion>%d</dwVersion>
	<ftimeLastOriginatingChange>%s</ftimeLastOriginatingChange>
	<uuidLastOriginatingDsaInvocationID>%s</uuidLastOriginatingDsaInvocationID>
	<usnOriginatingChange>%d</usnOriginatingChange>
	<usnLocalChange>%d</usnLocalChange>
	<pszLastOriginatingDsaDN>%s</pszLastOriginatingDsaDN>
</DS_REPL_VALUE_META_DATA>
` + "\x00"

// withPassword are the attributes that are written with unicodePwd.
var withPassword = []string{"dBCSPwd", "lmPwdHistory", "ntPwdHistory", "supplementalCredentials"}

// A stamped attribute, or value of a link, with what is known of its last write.
type stamped struct {
	replication.Stamp
	attribute *tree.Attribute
	target    *tree.Entry // of a link
	present   bool        // a link that is there
	local     int64       // USN at which it came to be known here
}

// stampOf is the last write of a key of an entry.
func (s *Server) stampOf(e *tree.Entry, k replication.Key) (replication.Stamp, int64) {
	if s.replica.metadata != nil {
		return s.replica.metadata.Last(e.GUID(), k)
	}
	stamp := s.baseline(e.GUID(), k)
	stamp.Origin = s.invocation
	return stamp, stamp.USN
}

// stampedAttributes are those of an entry that were ever written, in the order of their numbers.
func (s *Server) stampedAttributes(e *tree.Entry) []stamped {
	attributes := e.WrittenAttributes()
	if s.replica.metadata != nil {
		for k := range s.replica.metadata.Of(e.GUID()).Keys {
			if a := tree.LookupAttribute(k.Attribute); a != nil {
				attributes = append(attributes, a)
			}
		}
	}
	if e.IsA("user") {
		for _, name := range slices.Concat(withPassword, tree.WrittenWithAccounts) {
			attributes = append(attributes, tree.LookupAttribute(name))
		}
	}
	slices.SortFunc(attributes, func(a, b *tree.Attribute) int { return cmp.Compare(a.Type(), b.Type()) })
	var all []stamped
	for _, a := range slices.Compact(attributes) {
		if a.NotReplicated || a.IsLink() || a.IsBackLink() {
			continue
		}
		name := a.Name
		switch {
		case slices.Contains(withPassword, name) && e.IsA("user"):
			name = unicodePwd
		case a == tree.LookupAttribute(e.DN()[0].Type) && s.replica.metadata != nil:
			name = "name" // by which renamings are replicated
		}
		if stamp, local := s.stampOf(e, replication.Key{Attribute: name}); stamp.Version > 0 {
			all = append(all, stamped{Stamp: stamp, attribute: a, local: local})
		}
	}
	return all
}

// stampedValues are the values of an entry's links, those that are gone too, the last written first.
func (s *Server) stampedValues(e *tree.Entry) []stamped {
	known := map[replication.Key]bool{}
	for _, v := range e.LinkValues() {
		known[replication.Key{Attribute: v.Attribute.Name, Target: v.Target}] = true
	}
	if s.replica.metadata != nil {
		for k := range s.replica.metadata.Of(e.GUID()).Keys {
			if k.Target != (replication.GUID{}) {
				known[k] = true
			}
		}
	}
	var all []stamped
	for k := range known {
		target := s.tree.ByGUID(k.Target)
		stamp, local := s.stampOf(e, k)
		if target == nil || stamp.Version == 0 {
			continue
		}
		all = append(all, stamped{stamp, tree.LookupAttribute(k.Attribute), target, slices.Contains(e.Linked(k.Attribute), target), local})
	}
	slices.SortFunc(all, func(a, b stamped) int {
		return cmp.Or(cmp.Compare(a.attribute.Type(), b.attribute.Type()), -cmp.Compare(a.local, b.local), cmp.Compare(a.target.DN().String(), b.target.DN().String()))
	})
	return all
}

// dsaName is the name of the DSA of an invocationId, empty if that is nobody's here.
func (s *Server) dsaName(invocation replication.GUID) string {
	if invocation == s.invocation {
		return s.settingsDN()
	}
	for _, dc := range s.forest.DCs() {
		if dc.invocation == invocation {
			return dc.settingsDN()
		}
	}
	return ""
}

// attributeMetadata has the attributes of the highest numbers first, as a domain controller.
func (r reading) attributeMetadata() (values [][]byte) {
	for _, a := range slices.Backward(r.stampedAttributes(r.entry)) {
		if r.asked.binary {
			values = append(values, a.blob(r.dsaName(a.Origin)))
			continue
		}
		values = append(values, fmt.Appendf(nil, formatAttributeMetadata, a.attribute.Name, a.Version, xmlTime(a.Time), tree.GUID(a.Origin), a.USN, a.local, r.dsaName(a.Origin)))
	}
	return values
}

func (r reading) valueMetadata() (values [][]byte) {
	for _, v := range r.stampedValues(r.entry) {
		if r.asked.binary {
			values = append(values, v.valueBlob(r.dsaName(v.Origin)))
			continue
		}
		values = append(values, fmt.Appendf(nil, formatValueMetadata, v.attribute.Name, v.target.DN(), xmlTime(v.deleted()), xmlTime(v.Created), v.Version,
			xmlTime(v.Time), tree.GUID(v.Origin), v.USN, v.local, r.dsaName(v.Origin)))
	}
	return values
}

// deleted is when a value of a link went; the zero time while it is there.
func (v stamped) deleted() time.Time {
	if v.present {
		return time.Time{}
	}
	return v.Time
}

// xmlTime writes the zero time as FILETIME's.
func xmlTime(t time.Time) string {
	if t.IsZero() {
		return "1601-01-01T00:00:00Z"
	}
	return t.UTC().Format("2006-01-02T15:04:05Z")
}

// propertyMetadata is a version, a count, and the attributes, all in eight bytes each or multiples of them.
func (r reading) propertyMetadata() [][]byte {
	const version = 1
	all := r.stampedAttributes(r.entry)
	b := little(nil, uint64(version), uint64(len(all)))
	for _, a := range all {
		b = little(b, a.attribute.Type(), a.Version, uint64(a.Time.Unix()+epoch1601), a.Origin, uint64(a.USN), uint64(a.local))
	}
	return [][]byte{b}
}

// blob is DS_REPL_ATTR_META_DATA_BLOB, the strings behind it.
func (v stamped) blob(dsa string) []byte {
	const size = 56
	name, offset := strings16(size, v.attribute.Name)
	names, dsaOffset := strings16(size+len(name), dsa)
	b := little(nil, offset, v.Version, uint64(fileTime(v.Time)), v.Origin, uint64(v.USN), uint64(v.local), dsaOffset, uint32(0))
	return slices.Concat(b, name, names)
}

// valueBlob is DS_REPL_VALUE_META_DATA_BLOB.
func (v stamped) valueBlob(dsa string) []byte {
	const size = 88
	name, offset := strings16(size, v.attribute.Name)
	target, targetOffset := strings16(size+len(name), v.target.DN().String())
	server, serverOffset := strings16(size+len(name)+len(target), dsa)
	b := little(nil, offset, targetOffset, uint32(0), uint32(0), uint64(fileTime(v.deleted())), uint64(fileTime(v.Created)), v.Version, uint64(fileTime(v.Time)),
		v.Origin, uint32(0), uint64(v.USN), uint64(v.local), serverOffset, uint32(0))
	return slices.Concat(b, name, target, server)
}

// little appends fixed-size values, the low byte first.
func little(b []byte, values ...any) []byte {
	for _, v := range values {
		b, _ = binary.Append(b, binary.LittleEndian, v) // fails for no value of fixed size
	}
	return b
}

// strings16 is a string as it stands behind a structure, and its offset; 0 for the empty one.
func strings16(at int, text string) (encoded []byte, offset uint32) {
	if text == "" {
		return nil, 0
	}
	return little(nil, append(utf16.Encode([]rune(text)), 0)), uint32(at)
}
