package tree

// What replication is told of a tree and does to it: every change at the moment it happens, and what another domain
// controller wrote, taken in as it is (MS-ADTS 3.1.1.1.9). Changes that each domain controller makes by itself are not
// told: back links, inherited security descriptors, the ends of links to what is deleted.

import "slices"

// A Journal is told of each change of what is replicated, when uSNChanged has moved: of values before they change, too,
// but where that is part of the making of their entry.
type Journal interface {
	Added(e *Entry)
	Writing(e *Entry, a *Attribute)
	Wrote(e *Entry, a *Attribute)
	Linking(e *Entry, a *Attribute, target *Entry) // or no longer
	Renamed(e *Entry)                              // or moved
	Deleted(e *Entry)
}

// SetJournal sets who is told.
func (t *Tree) SetJournal(j Journal) {
	t.complete()
	t.journal = j
}

// replace gives an attribute what a plan has for it.
func (t *Tree) replace(e *Entry, a *Attribute, now planned) {
	if a.IsLink() {
		t.relink(e, a, now.links)
		return
	}
	told := t.journal != nil && !a.NotReplicated
	if told && !t.making {
		t.journal.Writing(e, a)
	}
	t.count(e, a)
	t.store(e, a, now.values)
	if told {
		t.journal.Wrote(e, a)
	}
}

// relink replaces the targets of a forward link.
func (t *Tree) relink(e *Entry, a *Attribute, targets []*Entry) {
	before := e.links[a]
	for _, target := range slices.Concat(difference(before, targets), difference(targets, before)) {
		t.countLink(e, a, target)
		if t.journal != nil {
			t.journal.Linking(e, a, target)
		}
	}
	e.relink(a, targets)
}

// Replica is a copy for another domain controller, whose counters begin anew, and which counts no writes: a journal does,
// or there are none. Options.Base and DomainSID are t's.
func (t *Tree) Replica(o Options) *Tree {
	c := t.Clone()
	c.now, c.protect, c.rids, c.journal, c.counts = o.Now, o.Protect, ridPool{}, nil, false
	for _, e := range c.byDN {
		c.startCounters(e)
	}
	return c
}

// startCounters gives an account what each domain controller counts for itself: wrong passwords and logons.
func (t *Tree) startCounters(e *Entry) {
	if !e.IsA("user") {
		return
	}
	for _, d := range userDefaults {
		if a := mustAttribute(d.name); a.NotReplicated {
			t.store(e, a, Strings("", d.value).Values)
		}
	}
}

// Receive takes in values that prevailed over those here.
func (t *Tree) Receive(e *Entry, values []Value) {
	for _, v := range values {
		t.store(e, mustAttribute(v.Name), v.Values)
	}
	t.touch(e)
}

// ReceiveNew takes in an entry that is not here, below one that is.
func (t *Tree) ReceiveNew(dn DN, values []Value) *Entry {
	e := &Entry{dn: dn, parent: t.Find(dn.Parent())}
	p := t.Plan(e)
	for _, v := range values {
		p.Share(v.Name, v.Values)
	}
	t.usn++
	p.Set("distinguishedName", dn.String())
	p.Set("whenChanged", FormatTime(t.now()))
	p.Set("uSNCreated", formatInt(t.usn))
	p.Set("uSNChanged", formatInt(t.usn))
	t.place(p, dn.key())
	t.startCounters(e)
	return e
}

// ReceiveLink takes in that a link is there, or is not.
func (t *Tree) ReceiveLink(e *Entry, a *Attribute, target *Entry, present bool) {
	targets := without(e.links[a], target)
	if present {
		targets = append(targets, target)
	}
	e.relink(a, targets)
	t.touch(e)
}

// ReceiveDeletion takes in the end of an entry without children; nil: of one that was never here.
func (t *Tree) ReceiveDeletion(e *Entry) {
	if e == nil {
		t.usn++
		return
	}
	t.remove(e)
}
