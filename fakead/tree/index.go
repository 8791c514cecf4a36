package tree

// Indexes: entries by the values of an attribute. Of a value only a hash is kept, which the entry's own value confirms.

import (
	"hash/maphash"
	"slices"
)

// indexed attributes are found by equality without looking at every entry.
var indexed = []string{"sAMAccountName", "userPrincipalName", "objectGUID", "objectSid", "mS-DS-ConsistencyGuid", "servicePrincipalName"}

// An index is that of one attribute.
type index struct {
	attribute *Attribute
	seed      maphash.Seed
	single    map[uint64]*Entry
	several   map[uint64][]*Entry // of a hash that several values have; there is none in single then
}

func newIndex(a *Attribute) *index {
	return &index{attribute: a, seed: maphash.MakeSeed(), single: map[uint64]*Entry{}, several: map[uint64][]*Entry{}}
}

// find returns the entries that have a value with this key.
func (x *index) find(key string) []*Entry {
	hash := maphash.String(x.seed, key)
	candidates := x.several[hash]
	if e := x.single[hash]; e != nil {
		candidates = []*Entry{e}
	}
	var found []*Entry
	for _, e := range candidates {
		if e.hasKey(x.attribute, key) {
			found = append(found, e)
		}
	}
	return found
}

func (x *index) enter(e *Entry, key string) {
	hash := maphash.String(x.seed, key)
	switch other := x.single[hash]; {
	case other != nil:
		delete(x.single, hash)
		x.several[hash] = []*Entry{other, e}
	case len(x.several[hash]) > 0:
		x.several[hash] = append(x.several[hash], e)
	default:
		x.single[hash] = e
	}
}

func (x *index) leave(e *Entry, key string) {
	hash := maphash.String(x.seed, key)
	if x.single[hash] == e {
		delete(x.single, hash)
		return
	}
	list := x.several[hash]
	i := slices.Index(list, e)
	if i < 0 {
		return
	}
	if list = slices.Delete(slices.Clone(list), i, i+1); len(list) > 1 {
		x.several[hash] = list
		return
	}
	delete(x.several, hash)
	x.single[hash] = list[0]
}

// clone is the same index of copies of the entries.
func (x *index) clone(copies map[*Entry]*Entry) *index {
	c := &index{attribute: x.attribute, seed: x.seed, single: make(map[uint64]*Entry, len(x.single)), several: make(map[uint64][]*Entry, len(x.several))}
	for hash, e := range x.single {
		c.single[hash] = copies[e]
	}
	for hash, list := range x.several {
		for _, e := range list {
			c.several[hash] = append(c.several[hash], copies[e])
		}
	}
	return c
}

// index enters or removes the values of e in the indexes.
func (t *Tree) index(e *Entry, enter bool) {
	for a, x := range t.indexes {
		for v := range e.texts(a) {
			if enter {
				x.enter(e, a.Syntax.keyText(v))
			} else {
				x.leave(e, a.Syntax.keyText(v))
			}
		}
	}
}
