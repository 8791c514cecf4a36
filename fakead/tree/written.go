package tree

// Which write of an attribute is the last one: AttributeStamp and LinkValueStamp (MS-ADTS 3.1.1.1.9, MS-DRSR),
// as one domain controller counts while it is alone. What nobody has written since its entry was made follows from
// whenCreated and uSNCreated, so that a directory of which most is only read keeps nothing for it. Once there is a journal,
// that counts.

import (
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// A Write is the last change of an attribute, or of one value of a link.
type Write struct {
	Version uint32    // 1 at the first, one more at each
	Time    time.Time // in whole seconds
	USN     int64
	Created time.Time // of a link's value: of the first
}

// A LinkValue is one value of a forward link, by the objectGUID of what it names.
type LinkValue struct {
	Attribute *Attribute
	Target    GUID
}

// CountWrites begins to count. What is written before counts as part of each entry's creation.
func (t *Tree) CountWrites() { t.counts = true }

// AsMade lets what is written by f, to an entry that was just made, be part of its making.
func (t *Tree) AsMade(f func()) {
	t.making = true
	defer func() { t.making = false }()
	f()
}

// Written tells of the last write of an attribute that is no link; false if there was none. An account's password and
// logon hours were written when it was made, if only with nothing.
func (e *Entry) Written(a *Attribute) (Write, bool) {
	if w, ok := e.lastWrite(a); ok {
		return w, true
	}
	if e.count(a) == 0 && (!slices.Contains(WrittenWithAccounts, a.Name) || !e.IsA("user")) {
		return Write{}, false
	}
	return e.creation(), true
}

// WrittenWithAccounts are attributes that are written when an account is made, if only with nothing, as a real domain
// controller's metadata shows.
var WrittenWithAccounts = []string{"logonHours", "unicodePwd"}

// LinkWritten is Written of one value of a forward link, present or no longer.
func (e *Entry) LinkWritten(a *Attribute, target *Entry) (Write, bool) {
	if w, ok := e.linkWrites[LinkValue{a, target.GUID()}]; ok {
		return w, true
	}
	if !e.linksTo(a, target) {
		return Write{}, false
	}
	w := e.creation()
	w.Created = w.Time
	return w, true
}

// linksTo tells whether a forward link names an entry, which knows of few that name it.
func (e *Entry) linksTo(a *Attribute, target *Entry) bool {
	if back := a.backLink(); back != nil {
		return slices.Contains(target.backLinks[back], e)
	}
	return slices.Contains(e.links[a], target)
}

// LinkValues are all values of forward links that were ever written, in no order.
func (e *Entry) LinkValues() []LinkValue {
	values := slices.Collect(maps.Keys(e.linkWrites))
	for a, targets := range e.links {
		for _, target := range targets {
			if v := (LinkValue{a, target.GUID()}); e.linkWrites[v] == (Write{}) {
				values = append(values, v)
			}
		}
	}
	return values
}

func (e *Entry) creation() Write {
	usn, _ := e.Int("uSNCreated")
	at, _ := parseTime(e.First("whenCreated")) // what is stored is a time
	return Write{Version: 1, Time: at, USN: usn}
}

// WrittenAttributes are those, links left out, that have values or had some.
func (e *Entry) WrittenAttributes() []*Attribute {
	all := e.inOrder()
	for rest := e.writes; rest != ""; {
		var a *Attribute
		if a, _, rest = rest.next(); e.count(a) == 0 {
			all = append(all, a)
		}
	}
	return all
}

// count counts a write that is about to happen, at the USN that it got.
func (t *Tree) count(e *Entry, a *Attribute) {
	if !t.counts || t.making || t.journal != nil || a.NotReplicated {
		return
	}
	w, _ := e.Written(a)
	e.writes = e.writes.with(a, Write{Version: w.Version + 1, Time: t.now(), USN: t.usn})
}

// countLink counts that a value of a link is about to appear or to go.
func (t *Tree) countLink(e *Entry, a *Attribute, target *Entry) {
	if !t.counts || t.journal != nil {
		return
	}
	now := t.now().UTC().Truncate(time.Second)
	w, written := e.LinkWritten(a, target)
	if !written {
		w.Created = now
	}
	if e.linkWrites == nil {
		e.linkWrites = map[LinkValue]Write{}
	}
	e.linkWrites[LinkValue{a, target.GUID()}] = Write{w.Version + 1, now, t.usn, w.Created}
}

// writes are writes of attributes, one after the other: the attribute's rank in two bytes, then version, time and USN.
type writes string

func (w writes) next() (a *Attribute, last Write, rest writes) {
	a = loadSchema().inOrder[int(w[0])|int(w[1])<<8]
	var numbers [3]int
	width, at := 0, 2
	for i := range numbers {
		numbers[i], width = uvarint(string(w[at:]))
		at += width
	}
	return a, Write{Version: uint32(numbers[0]), Time: time.Unix(int64(numbers[1]), 0).UTC(), USN: int64(numbers[2])}, w[at:]
}

func (w writes) with(a *Attribute, last Write) writes {
	before, after := w, writes("")
	for rest := w; rest != ""; {
		found, _, next := rest.next()
		if found == a {
			before, after = w[:len(w)-len(rest)], next
			break
		}
		rest = next
	}
	const most = 2 + 3*binary.MaxVarintLen64
	b := append(make([]byte, 0, len(before)+len(after)+most), before...)
	b = append(append(b, after...), byte(a.rank), byte(a.rank>>8))
	for _, n := range []int64{int64(last.Version), max(last.Time.Unix(), 0), last.USN} {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return writes(b)
}

func (e *Entry) lastWrite(a *Attribute) (Write, bool) {
	for rest := e.writes; rest != ""; {
		found, w, next := rest.next()
		if found == a {
			return w, true
		}
		rest = next
	}
	return Write{}, false
}
