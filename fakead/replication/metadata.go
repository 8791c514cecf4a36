package replication

import (
	"maps"
	"slices"
	"time"
)

// A Key is what of an object has a stamp of its own: an attribute, or, where values are links, one value of it. The
// zero Key is the object's creation, whose stamp stands for every attribute that nobody has written since.
type Key struct {
	Attribute string // lDAPDisplayName
	Target    GUID   // of a link; zero for an attribute as a whole
}

// Deletion is the key of an object's end.
var Deletion = Key{Attribute: "isDeleted"}

// A mark is a stamp, with the USN at which this domain controller came to have it.
type mark struct {
	Stamp
	local int64
}

// Metadata is what one domain controller remembers of what was written, from when it got its first partner on: what
// is older, all have. It is not safe for use by several goroutines.
type Metadata struct {
	self    GUID
	before  Baseline
	known   Vector
	objects map[GUID]map[Key]mark
	log     []logged // by USN; a later entry of the same object replaces an earlier one
}

type logged struct {
	usn    int64
	object GUID
}

// A Baseline is the stamp of what was there before metadata was kept; of the zero Key, that of the object's creation.
// What was never written has none. It is asked about objects made since as well, whether an attribute has a stamp at all.
type Baseline func(object GUID, k Key) Stamp

// New returns the metadata of the domain controller of that invocationId.
func New(self GUID, before Baseline) *Metadata {
	return &Metadata{self: self, before: before, known: Vector{}, objects: map[GUID]map[Key]mark{}}
}

// As is a copy for another domain controller that begins with the same content; usn is what both have reached.
func (m *Metadata) As(self GUID, usn int64, before Baseline) *Metadata {
	c := &Metadata{self: self, before: before, known: maps.Clone(m.known), objects: make(map[GUID]map[Key]mark, len(m.objects)), log: slices.Clone(m.log)}
	for object, marks := range m.objects {
		c.objects[object] = maps.Clone(marks)
	}
	c.known[m.self] = usn
	return c
}

// Self is the invocationId.
func (m *Metadata) Self() GUID { return m.self }

// Known is the up-to-dateness vector when usn is the last of this domain controller's own.
func (m *Metadata) Known(usn int64) Vector {
	known := maps.Clone(m.known)
	known[m.self] = usn
	return known
}

// Learn merges a partner's vector, once all that it covers was taken in.
func (m *Metadata) Learn(other Vector) { m.known.Merge(other) }

// StampOf returns the stamp of a key; what was never written has version 0.
func (m *Metadata) StampOf(object GUID, k Key) Stamp {
	s, _ := m.Last(object, k)
	return s
}

// Last returns the stamp of a key and the USN at which this domain controller came to have it.
func (m *Metadata) Last(object GUID, k Key) (s Stamp, local int64) {
	marks := m.objects[object]
	if own, ok := marks[k]; ok {
		return own.Stamp, own.local
	}
	created, since := marks[Key{}]
	switch {
	case k == Deletion, since && k.Target != (GUID{}):
		return Stamp{}, 0
	case since && m.before(object, k).Version > 0:
		return created.Stamp, created.local
	case since:
		return Stamp{}, 0
	}
	s = m.before(object, k)
	return s, s.USN
}

// Knows tells whether a write of a key itself is known, other than that its object was made.
func (m *Metadata) Knows(object GUID, k Key) bool {
	_, ok := m.objects[object][k]
	return ok
}

// Deleted tells whether the object's end is known.
func (m *Metadata) Deleted(object GUID) bool {
	_, gone := m.objects[object][Deletion]
	return gone
}

// Originate records a write that is made here, at a USN of this domain controller's own. The Baseline still tells of what
// was before it.
func (m *Metadata) Originate(object GUID, k Key, now time.Time, usn int64) {
	now = now.UTC().Truncate(time.Second)
	before := m.StampOf(object, k)
	s := Stamp{Version: before.Version + 1, Time: now, Origin: m.self, USN: usn}
	if k == (Key{}) {
		s.Version = 1
	}
	if k.Target != (GUID{}) {
		s.Created = before.Created
		if before.Version == 0 {
			s.Created = now
		}
	}
	m.set(object, k, mark{s, usn})
}

// Accept records a partner's write that prevailed, at a USN of this domain controller.
func (m *Metadata) Accept(object GUID, k Key, s Stamp, usn int64) { m.set(object, k, mark{s, usn}) }

func (m *Metadata) set(object GUID, k Key, to mark) {
	marks := m.objects[object]
	if marks == nil {
		marks = map[Key]mark{}
		m.objects[object] = marks
	}
	if k == Deletion {
		clear(marks)
	}
	marks[k] = to
	if last := len(m.log) - 1; last < 0 || m.log[last] != (logged{to.local, object}) {
		m.log = append(m.log, logged{to.local, object})
	}
	if len(m.log) > 2*len(m.objects)+minLog {
		m.compact()
	}
}

const minLog = 1024

// compact drops the log's entries that later ones replace.
func (m *Metadata) compact() {
	latest := make(map[GUID]int64, len(m.objects))
	for _, l := range m.log {
		latest[l.object] = l.usn
	}
	m.log = slices.DeleteFunc(m.log, func(l logged) bool { return l.usn < latest[l.object] })
}

// A Change is what a partner lacks of one object.
type Change struct {
	Object GUID
	Keys   map[Key]Stamp
}

// Changes lists what came to be known here after a USN and what the vector does not cover.
func (m *Metadata) Changes(after int64, known Vector) []Change {
	start, _ := slices.BinarySearchFunc(m.log, after+1, func(l logged, usn int64) int { return int(l.usn - usn) })
	var changes []Change
	seen := map[GUID]bool{}
	for _, l := range m.log[start:] {
		if seen[l.object] {
			continue
		}
		seen[l.object] = true
		c := Change{Object: l.object, Keys: map[Key]Stamp{}}
		for k, has := range m.objects[l.object] {
			if has.local > after && !known.Covers(has.Stamp) {
				c.Keys[k] = has.Stamp
			}
		}
		if len(c.Keys) > 0 {
			changes = append(changes, c)
		}
	}
	return changes
}

// Of lists all that is known of one object.
func (m *Metadata) Of(object GUID) Change {
	c := Change{Object: object, Keys: map[Key]Stamp{}}
	for k, has := range m.objects[object] {
		c.Keys[k] = has.Stamp
	}
	return c
}
