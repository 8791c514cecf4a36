// Package tree is the directory of a fake domain controller: entries with their distinguished names, the
// schema that they obey, links, indexes, and the evaluation of search filters. It knows nothing of passwords,
// of rights, or of LDAP's wire. Its errors carry the result code and the text that a Windows domain
// controller answers (MS-ADTS 3.1.1.5).
//
// A Tree is not safe for use by several goroutines: the server that owns it holds a lock.
//
// Left out on purpose: more than one domain.
package tree

import (
	"crypto/rand"
	"time"
)

// Options are what a new tree needs to know. All fields but Protect are required.
type Options struct {
	Base      DN  // the domain naming context
	DomainSID SID // S-1-5-21-x-y-z
	Now       func() time.Time
	// Protect returns nTSecurityDescriptor of a new entry that is made without one: its DN, parent and classes
	// are known then. Default: none.
	Protect func(*Entry) [][]byte
}

// A Tree holds the entries of one domain controller: the domain's, the configuration's and the schema's.
type Tree struct {
	base       DN
	schemaName string // of SchemaDN
	sid        SID
	now        func() time.Time
	protect    func(*Entry) [][]byte
	usn        int64
	rids       ridPool
	byDN       map[string]*Entry
	heads      []*Entry // of the naming contexts
	indexes    map[*Attribute]*index
	nth        int64                  // entries get a serial number, by which results are ordered
	later      *later                 // entries that are still to be made; nil: none
	spare      map[*Attribute]planned // of an earlier plan, empty, to be used again; nil: there is none

	tombstones map[GUID]tombstone
	journal    Journal // is told of changes; nil: nobody is
	counts     bool    // writes are counted
	making     bool    // what is written is part of an entry's making
}

// New returns a tree without entries.
func New(o Options) *Tree {
	t := &Tree{
		base:    o.Base,
		sid:     o.DomainSID,
		now:     o.Now,
		protect: o.Protect,
		rids:    ridPool{next: FirstRID, end: endless},
		byDN:    map[string]*Entry{},
		indexes: map[*Attribute]*index{},

		tombstones: map[GUID]tombstone{},
	}
	t.schemaName = t.SchemaDN().String()
	for _, name := range indexed {
		a := mustAttribute(name)
		t.indexes[a] = newIndex(a)
	}
	return t
}

// Base is the DN of the domain's naming context.
func (t *Tree) Base() DN { return t.base }

// DomainSID is the security identifier of the domain.
func (t *Tree) DomainSID() SID { return t.sid }

// USN is the number of the last change (highestCommittedUSN).
func (t *Tree) USN() int64 { return t.usn }

// Len counts the entries.
func (t *Tree) Len() int {
	t.complete()
	return len(t.byDN)
}

// Find returns the entry of that name, or nil.
func (t *Tree) Find(dn DN) *Entry { return t.find(dn, dn.key()) }

// find is Find for those who have the key.
func (t *Tree) find(dn DN, key string) *Entry {
	e := t.byDN[key]
	if e == nil && t.putOff(dn) {
		t.complete()
		e = t.byDN[key]
	}
	return e
}

// ByGUID returns the entry with that objectGUID, or nil.
func (t *Tree) ByGUID(g GUID) *Entry { return t.first("objectGUID", g[:]) }

// BySID returns the entry with that objectSid, or nil.
func (t *Tree) BySID(s SID) *Entry { return t.first("objectSid", []byte(s)) }

// BySAM returns the entry with that sAMAccountName in any case, or nil.
func (t *Tree) BySAM(name string) *Entry { return t.first("sAMAccountName", []byte(name)) }

// ByUPN returns the entry with that userPrincipalName in any case, or nil.
func (t *Tree) ByUPN(name string) *Entry { return t.first("userPrincipalName", []byte(name)) }

// ByConsistencyGUID returns the entries whose mS-DS-ConsistencyGuid is these bytes.
func (t *Tree) ByConsistencyGUID(value []byte) []*Entry {
	return t.equal(mustAttribute("mS-DS-ConsistencyGuid"), value)
}

func (t *Tree) first(name string, value []byte) *Entry {
	if found := t.equal(mustAttribute(name), value); len(found) > 0 {
		return found[0]
	}
	return nil
}

// equal returns the entries that hold a value of an indexed attribute.
func (t *Tree) equal(a *Attribute, value []byte) []*Entry {
	return t.indexes[a].find(a.Syntax.key(value))
}

// without returns list without e, in a slice of its own.
func without(list []*Entry, e *Entry) []*Entry {
	rest := make([]*Entry, 0, len(list))
	for _, other := range list {
		if other != e {
			rest = append(rest, other)
		}
	}
	return rest
}

func newGUID() GUID {
	var g GUID
	_, _ = rand.Read(g[:])  // never fails, by its documentation
	g[7] = g[7]&0x0f | 0x40 // version 4: the third group is stored with its low byte first
	g[8] = g[8]&0x3f | 0x80 // the variant of RFC 9562
	return g
}
