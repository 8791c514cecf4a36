package tree

// Relative identifiers of new accounts (MS-ADTS 3.1.1.1.4 and 6.1.5.3): each domain controller gives them from a pool of
// its own, which the RID master allocated to it. A domain of one controller has a single endless pool.

// FirstRID is the relative identifier of the first account that is added to a new domain.
const FirstRID = 1103

const endless = 1 << 30

// A ridPool is what one domain controller has left to give.
type ridPool struct {
	next, end uint32                  // the first, and the one after the last
	more      func() (uint32, uint32) // allocates another pool; nil: this one never ends
}

// AllocateRIDs says where pools come from from now on, and that the one in use ends before end, unless it is past that;
// NextRID tells. allocate returns the first identifier of a new pool and the one after its last.
func (t *Tree) AllocateRIDs(end uint32, allocate func() (first, after uint32)) {
	t.rids.end, t.rids.more = end, allocate
}

// NextRID is the identifier that the next account gets, if nothing has it.
func (t *Tree) NextRID() uint32 { return t.rids.next }

// takeRID passes over identifiers that entries brought along.
func (t *Tree) takeRID() uint32 {
	for {
		if t.rids.next >= t.rids.end {
			t.rids.next, t.rids.end = t.rids.more()
		}
		rid := t.rids.next
		t.rids.next++
		if t.BySID(t.sid.WithRID(rid)) == nil {
			return rid
		}
	}
}

// reserve keeps an identifier that an entry brought along from being given to another one.
func (t *Tree) reserve(sid SID) {
	if domain, rid := sid.RID(); domain == t.sid && rid >= t.rids.next && rid < t.rids.end {
		t.rids.next = rid + 1
	}
}
