package tree

// Copies of a whole tree, for who wants to come back to one.

import "maps"

// Clone is a copy that shares nothing with t that either will change: stored values are never written in place.
func (t *Tree) Clone() *Tree {
	t.complete()
	c := *t
	c.spare = nil
	copies := make(map[*Entry]*Entry, len(t.byDN))
	c.byDN = make(map[string]*Entry, len(t.byDN))
	for key, e := range t.byDN {
		twin := *e
		copies[e], c.byDN[key] = &twin, &twin
	}
	twins := func(entries []*Entry) []*Entry {
		if entries == nil {
			return nil
		}
		list := make([]*Entry, len(entries))
		for i, e := range entries {
			list[i] = copies[e]
		}
		return list
	}
	c.heads = twins(t.heads)
	for _, e := range copies {
		e.parent, e.children = copies[e.parent], twins(e.children)
		e.links, e.backLinks = relinked(e.links, twins), relinked(e.backLinks, twins)
		e.linkWrites = maps.Clone(e.linkWrites)
	}
	c.tombstones = make(map[GUID]tombstone, len(t.tombstones))
	for guid, stone := range t.tombstones {
		twin := *stone.entry
		twin.parent = copies[twin.parent]
		c.tombstones[guid] = tombstone{&twin, stone.since}
	}
	c.indexes = make(map[*Attribute]*index, len(t.indexes))
	for a, x := range t.indexes {
		c.indexes[a] = x.clone(copies)
	}
	return &c
}

func relinked(links map[*Attribute][]*Entry, twins func([]*Entry) []*Entry) map[*Attribute][]*Entry {
	if links == nil {
		return nil
	}
	c := make(map[*Attribute][]*Entry, len(links))
	for a, entries := range links {
		c[a] = twins(entries)
	}
	return c
}
