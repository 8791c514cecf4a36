package fakead

// DirSync, MS-ADTS 3.1.1.3.4.1.3: what of the entries of a naming context has changed since an earlier search, which the
// cookie of its answer stands for. New and deleted entries come whole, others with those of the attributes asked for that
// were written since, without values where none are left. Left out on purpose: MaxBytes, LDAP_DIRSYNC_PUBLIC_DATA_ONLY, and
// secrets, whose changes pwdLastSet tells of.

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"slices"
	"strings"

	"passback/fakead/security"
	"passback/fakead/tree"
)

const (
	oidDirSync         = "1.2.840.113556.1.4.841"
	dirSyncSecurity    = 1       // LDAP_DIRSYNC_OBJECT_SECURITY: what the caller may read, without a right to replicate
	dirSyncParents     = 0x800   // LDAP_DIRSYNC_ANCESTORS_FIRST_ORDER
	dirSyncIncremental = 1 << 31 // LDAP_DIRSYNC_INCREMENTAL_VALUES: of links, the values that have changed
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
	if selected.all = selected.all || len(m.attributes) == 0; selected.all {
		selected.named = append(selected.named, attributeNamed("parentGUID"))
	}
	for _, e := range found {
		created, _ := e.Int("uSNCreated")
		if created > d.since || e.First("isDeleted") == "TRUE" {
			s.render(req, m, e, selected)
		} else {
			s.renderChanges(req, m, e, selected, d)
		}
	}
	return result{controls: []control{s.encodeDirSync(until, more)}}
}

// renderChanges writes what was asked for and has changed into the answer; nothing, if that is nothing.
func (s *Server) renderChanges(req *request, m *searchRequest, e *tree.Entry, asked selection, d *dirSync) {
	wanted := func(v stamped) bool {
		a := v.attribute
		all := asked.all && !strings.EqualFold(a.Name, e.DN()[0].Type) // which name says
		return v.local > d.since && (all || asked.names(a.Name)) && !req.conn.hides(a)
	}
	also := []string{"instanceType", "objectGUID"}
	var changed selection
	for _, v := range s.stampedAttributes(e) {
		if !wanted(v) {
			continue
		}
		if v.attribute.Name == "name" {
			also = append(also, "parentGUID")
		}
		changed.named = append(changed.named, selected{attribute: v.attribute, high: -1, gone: true})
	}
	changed.named = append(changed.named, changedLinks(slices.DeleteFunc(s.stampedValues(e), func(v stamped) bool { return !wanted(v) }), d)...)
	if len(changed.named) == 0 {
		return
	}
	for _, name := range also {
		changed.named = append(changed.named, attributeNamed(name))
	}
	s.render(req, m, e, changed)
}

func attributeNamed(name string) selected {
	return selected{attribute: tree.LookupAttribute(name), high: -1}
}

// changedLinks selects links whose values have changed, or those values alone: what was added as range 1-1, what is gone
// as range 0-0.
func changedLinks(values []stamped, d *dirSync) (links []selected) {
	for _, v := range values {
		one := selected{attribute: v.attribute, high: -1, gone: true}
		if d.flags&dirSyncIncremental != 0 {
			one.alone = map[bool]string{true: ";range=1-1", false: ";range=0-0"}[v.present]
		}
		i := slices.IndexFunc(links, func(o selected) bool { return o.attribute == one.attribute && o.alone == one.alone })
		if i < 0 {
			links, i = append(links, one), len(links)
		}
		links[i].values = append(links[i].values, []byte(v.target.DN().String()))
	}
	return links
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
