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
	known   Vector
	objects map[GUID]map[Key]mark
	log     []logged // by USN; a later entry of the same object replaces an earlier one
}

type logged struct {
	usn    int64
	object GUID
}

// New returns the metadata of the domain controller of that invocationId.
func New(self GUID) *Metadata {
	return &Metadata{self: self, known: Vector{}, objects: map[GUID]map[Key]mark{}}
}

// As is a copy for another domain controller that begins with the same content; usn is what both have reached.
func (m *Metadata) As(self GUID, usn int64) *Metadata {
	c := &Metadata{self: self, known: maps.Clone(m.known), objects: make(map[GUID]map[Key]mark, len(m.objects)), log: slices.Clone(m.log)}
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

// StampOf returns the stamp of a key. What nobody has written since metadata is kept has version 1 and no origin.
func (m *Metadata) StampOf(object GUID, k Key) Stamp {
	marks := m.objects[object]
	if own, ok := marks[k]; ok {
		return own.Stamp
	}
	if created, ok := marks[Key{}]; ok && k.Target == (GUID{}) {
		return created.Stamp
	}
	if k.Target != (GUID{}) || k == Deletion {
		return Stamp{}
	}
	return Stamp{Version: 1}
}

// Deleted tells whether the object's end is known.
func (m *Metadata) Deleted(object GUID) bool {
	_, gone := m.objects[object][Deletion]
	return gone
}

// Originate records a write that was made here, at a USN of this domain controller's own.
func (m *Metadata) Originate(object GUID, k Key, now time.Time, usn int64) {
	version := m.StampOf(object, k).Version + 1
	if k == (Key{}) {
		version = 1
	}
	m.set(object, k, mark{Stamp{version, now.UTC().Truncate(time.Second), m.self, usn}, usn})
}

// Accept records a partner's write at a USN of this domain controller, if it prevails over what is known.
func (m *Metadata) Accept(object GUID, k Key, s Stamp, usn int64) bool {
	if !s.Beats(m.StampOf(object, k)) {
		return false
	}
	m.set(object, k, mark{s, usn})
	return true
}

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
