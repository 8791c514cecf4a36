package tree

// Tombstones (MS-ADTS 3.1.1.5.5.1.1): what is left of a deleted entry, below CN=Deleted Objects of its naming context, for
// 180 days. Only who asks for them finds any. Left out on purpose: the Recycle Bin, an optional feature that is off in a
// new forest; undeleting; and tombstoneLifetime, which nobody changes for a test.

import (
	"iter"
	"slices"
	"time"
)

const (
	tombstoneLifetime = 180 * 24 * time.Hour
	maxRDNLength      = 255 // characters of a name with what is added to it
)

// kept are the attributes that a tombstone has, beside the one that names it.
var kept = map[string]bool{
	"nTSecurityDescriptor": true, "attributeID": true, "attributeSyntax": true, "dNSHostName": true, "flatName": true, "governsID": true,
	"groupType": true, "instanceType": true, "lDAPDisplayName": true, "legacyExchangeDN": true, "mS-DS-CreatorSID": true, "nCName": true,
	"objectClass": true, "objectGUID": true, "objectSid": true, "oMSyntax": true, "proxiedObjectName": true, "sAMAccountName": true,
	"securityIdentifier": true, "sIDHistory": true, "subClassOf": true, "systemFlags": true, "trustAttributes": true, "trustDirection": true,
	"trustPartner": true, "trustType": true, "userAccountControl": true, "uSNCreated": true, "whenCreated": true,
}

// A tombstone is an entry that is found by nothing but its identifier and by searches for what is deleted.
type tombstone struct {
	entry *Entry
	since time.Time
}

// bury leaves a tombstone of an entry that has just been taken out of the tree. A naming context without a container for
// them keeps none.
func (t *Tree) bury(e *Entry) {
	place := t.byDN[t.context(e).dn.Child("CN", "Deleted Objects").key()]
	if place == nil {
		return
	}
	t.decay()
	guid := e.GUID()
	name := []rune(e.dn[0].Value)
	mark := "\nDEL:" + guid.String()
	mangled := string(name[:min(len(name), maxRDNLength-len(mark))]) + mark
	rdn := LookupAttribute(e.dn[0].Type)
	stone := &Entry{dn: place.dn.Child(e.dn[0].Type, mangled), parent: place, serial: e.serial}
	for a, values := range e.All() {
		if kept[a.Name] {
			stone.put(a, values)
		}
	}
	for name, value := range map[string]string{
		rdn.Name: mangled, "name": mangled, "distinguishedName": stone.dn.String(),
		"isDeleted": "TRUE", "isRecycled": "TRUE", "lastKnownParent": e.parent.dn.String(), "msDS-LastKnownRDN": e.dn[0].Value,
		"uSNChanged": formatInt(t.usn), "whenChanged": FormatTime(t.now()),
	} {
		stone.put(mustAttribute(name), Strings("", value).Values)
	}
	t.tombstones[guid] = tombstone{stone, t.now()}
}

// decay takes away the tombstones that are old enough.
func (t *Tree) decay() {
	for guid, stone := range t.tombstones {
		if t.now().Sub(stone.since) >= tombstoneLifetime {
			delete(t.tombstones, guid)
		}
	}
}

// deleted are the tombstones in the scope of a base, in a stable order.
func (t *Tree) deleted(base *Entry, scope Scope) iter.Seq[*Entry] {
	return func(yield func(*Entry) bool) {
		t.decay()
		var found []*Entry
		for _, stone := range t.tombstones {
			if e := stone.entry; e != base && e.within(base, scope) {
				found = append(found, e)
			}
		}
		slices.SortFunc(found, bySerial)
		for _, e := range found {
			if !yield(e) {
				return
			}
		}
	}
}

// ResolveDeleted is Resolve of a name that may be a tombstone's.
func (t *Tree) ResolveDeleted(name string) (*Entry, error) {
	e, err := t.Resolve(name)
	if err == nil {
		return e, nil
	}
	t.decay()
	if form, value, ok := extendedForm(name); ok && form == "GUID" {
		if guid, failed := ParseGUID(value); failed == nil && t.tombstones[guid].entry != nil {
			return t.tombstones[guid].entry, nil
		}
		return nil, err
	}
	if dn, failed := ParseDN(name); failed == nil {
		for _, stone := range t.tombstones {
			if stone.entry.dn.Equal(dn) {
				return stone.entry, nil
			}
		}
	}
	return nil, err
}

// Keeps tells whether an entry is in the tree, or its tombstone is.
func (t *Tree) Keeps(e *Entry) bool {
	return t.Find(e.dn) == e || t.tombstones[e.GUID()].entry == e
}
