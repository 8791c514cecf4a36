package fakead

// DirSync, MS-ADTS 3.1.1.3.4.1.3: the entries of a naming context that have changed since an earlier search, which the
// cookie of its answer stands for. Left out on purpose: changes of attributes and values alone, for the directory keeps
// no metadata of them: an entry that has changed comes with all that is asked for, links too.

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const (
	oidDirSync         = "1.2.840.113556.1.4.841"
	dirSyncSecurity    = 1     // LDAP_DIRSYNC_OBJECT_SECURITY: what the caller may read, without a right to replicate
	dirSyncParents     = 0x800 // LDAP_DIRSYNC_ANCESTORS_FIRST_ORDER
	dirSyncCookie      = "MSDS\x03\x00\x00\x00"
	dirSyncInvocation  = 16 // bytes of the domain controller's invocationId, which the cookie ends with
	rightReplicate     = "DS-Replication-Get-Changes"
	maxDirSyncEntries  = 1000 // of one answer
	errorDSDRAAccess   = 0x2105
	dirSyncCookieBytes = len(dirSyncCookie) + 8 + dirSyncInvocation
)

// A dirSync is DirSyncRequestValue.
type dirSync struct {
	flags int64
	since int64 // the USN that the cookie stands for; 0: all
}

// dirSync reads the control. The base has to be the head of a naming context.
func (s *Server) dirSync(req *request, base *tree.Entry) (*dirSync, result) {
	c, ok := req.control(oidDirSync)
	if !ok {
		return nil, result{}
	}
	d, ok := s.decodeDirSync(c.value)
	switch {
	case !ok && c.critical:
		return nil, s.failedControl()
	case !ok:
		return nil, result{}
	case !base.IsHead():
		return nil, secErr(errorDSDRAAccess, "03150A3B")
	case d.flags&dirSyncSecurity == 0 && !s.accessTo(req.session, base).right(security.ControlAccess, rightReplicate):
		return nil, secErr(errorDSDRAAccess, "03150A3B")
	default:
		return d, result{}
	}
}

// sync answers a DirSync search: whatever its scope, the whole naming context, deleted entries too, in the order of
// their changes.
func (s *Server) sync(req *request, m *searchRequest, d *dirSync, base *tree.Entry, filter *tree.Filter) result {
	whole := *m
	whole.scope = tree.WholeSubtree
	found, timedOut := s.matching(req, &whole, []*tree.Entry{base}, filter)
	if timedOut {
		return result{code: codeTimeLimitExceeded}
	}
	found = slices.DeleteFunc(found, func(e *tree.Entry) bool { return changedAt(e) <= d.since })
	slices.SortFunc(found, func(a, b *tree.Entry) int { return cmp.Compare(changedAt(a), changedAt(b)) })
	until, more := s.tree.USN(), len(found) > maxDirSyncEntries
	if more {
		found = found[:maxDirSyncEntries]
		until = changedAt(found[len(found)-1])
	}
	if d.flags&dirSyncParents != 0 {
		slices.SortStableFunc(found, func(a, b *tree.Entry) int { return cmp.Compare(len(a.DN()), len(b.DN())) })
	}
	selected := req.conn.selectAttributes(append(slices.Clone(m.attributes), "objectGUID", "instanceType"))
	selected.all = selected.all || len(m.attributes) == 0
	for _, e := range found {
		s.render(req, m, e, selected)
	}
	return result{controls: []control{s.encodeDirSync(until, more)}}
}

// changedAt is the USN of an entry's last change.
func changedAt(e *tree.Entry) int64 {
	usn, _ := e.Int("uSNChanged")
	return usn
}

// decodeDirSync reads SEQUENCE { Flags INTEGER, MaxBytes INTEGER, Cookie OCTET STRING }.
func (s *Server) decodeDirSync(value []byte) (*dirSync, bool) {
	outer := berReader{rest: value}
	r := outer.inside(berSequence)
	d := &dirSync{flags: r.number(berInteger)}
	r.number(berInteger) // MaxBytes
	cookie := r.take(berOctetString)
	if r.bad || r.more() || outer.more() {
		return nil, false
	}
	if len(cookie) == 0 {
		return d, true
	}
	if len(cookie) != dirSyncCookieBytes || !bytes.HasPrefix(cookie, []byte(dirSyncCookie)) || !bytes.HasSuffix(cookie, s.invocation[:]) {
		return nil, false
	}
	d.since = int64(binary.LittleEndian.Uint64(cookie[len(dirSyncCookie):]))
	return d, true
}

// encodeDirSync makes the control of the answer: SEQUENCE { MoreResults INTEGER, unused INTEGER, CookieServer OCTET STRING }.
func (s *Server) encodeDirSync(until int64, more bool) control {
	cookie := binary.LittleEndian.AppendUint64([]byte(dirSyncCookie), uint64(until))
	var w berWriter
	sequence := w.open(berSequence)
	w.number(berInteger, map[bool]int64{true: 1}[more])
	w.number(berInteger, 0)
	w.octets(berOctetString, append(cookie, s.invocation[:]...))
	w.close(sequence)
	return control{oid: oidDirSync, value: w.out}
}
