package fakead

// Replication, MS-DRSR 4.1.10 (GetNCChanges) and MS-ADTS 3.1.1.1: each domain controller stamps what is written on it
// and takes from its partners what it lacks. Of an attribute that is no link the whole set of values is one, and the
// last writer's replaces the other's: two values added on two domain controllers at once do not both stay. Links are
// replicated value by value. What the schema says is not replicated (badPwdCount, badPasswordTime, lastLogon,
// logonCount, whenChanged, USNs) stays where it was written.
//
// Left out on purpose: sites' schedules and compression, $DUPLICATE- names for accounts of one sAMAccountName, and
// garbage collection: the stamp of a deletion is kept for good.

import (
	"slices"

	"passback/fakead/replication"
	"passback/fakead/tree"
)

// A replica is what a domain controller keeps for its partners' sake. Guarded by Server.mu.
type replica struct {
	metadata   *replication.Metadata      // nil: it never had a partner
	watermarks map[replication.GUID]int64 // of each partner by invocationId: the last of its USNs that was taken in
	first      replication.GUID           // invocationId of the domain controller that was alone before there were partners
}

// A replicatedObject is what a partner gets of one object.
type replicatedObject struct {
	replication.Change
	dn         tree.DN                  // on the source
	parent     tree.GUID                // zero for the head of a naming context
	values     map[string][][]byte      // of attributes that are no links
	present    map[replication.Key]bool // of links
	keyVersion int                      // msDS-KeyVersionNumber goes with unicodePwd
}

func (o replicatedObject) isNew() bool { return o.has(replication.Key{}) }

func (o replicatedObject) has(k replication.Key) bool { _, ok := o.Keys[k]; return ok }

func (o replicatedObject) stamp(attribute string) replication.Stamp {
	if s, ok := o.Keys[replication.Key{Attribute: attribute}]; ok {
		return s
	}
	return o.Keys[replication.Key{}]
}

// A replicationCycle is one answer to GetNCChanges: all that a partner lacked.
type replicationCycle struct {
	source  replication.GUID
	objects []replicatedObject
	usn     int64 // of the source, that it brings the partner up to
	known   replication.Vector
}

// startReplicating begins to keep metadata.
func (s *Server) startReplicating() {
	if s.replica.metadata == nil {
		s.replica = replica{metadata: replication.New(s.invocation, s.baseline), watermarks: map[replication.GUID]int64{}, first: s.invocation}
		s.tree.SetJournal(journal{s})
	}
}

// cycleFor gathers what a partner lacks.
func (s *Server) cycleFor(partner *Server, after int64, known replication.Vector) replicationCycle {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.replica.metadata
	c := replicationCycle{source: m.Self(), usn: s.tree.USN(), known: m.Known(s.tree.USN())}
	for _, change := range m.Changes(after, known) {
		c.objects = append(c.objects, s.pack(change, partner))
	}
	return c
}

// objectFor gathers all of one object (EXOP_REPL_OBJ).
func (s *Server) objectFor(partner *Server, guid tree.GUID) replicationCycle {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.replica.metadata
	return replicationCycle{source: m.Self(), objects: []replicatedObject{s.pack(m.Of(guid), partner)}}
}

// pack adds the values to what has changed of an object.
func (s *Server) pack(c replication.Change, partner *Server) replicatedObject {
	o := replicatedObject{Change: c, values: map[string][][]byte{}, present: map[replication.Key]bool{}, keyVersion: s.keyVersions[c.Object]}
	e := s.tree.ByGUID(c.Object)
	if e == nil || o.has(replication.Deletion) {
		return o
	}
	o.dn = e.DN()
	if e.Parent() != nil {
		o.parent = e.Parent().GUID()
	}
	if o.isNew() {
		o.Keys = s.replica.metadata.Of(c.Object).Keys
		o.values["objectGUID"] = e.Get("objectGUID")
		for a, values := range e.All() {
			if !a.NotReplicated && !a.IsLink() && !a.IsBackLink() && !withheld(a, partner) {
				o.values[a.Name] = values
			}
		}
	}
	for k := range o.Keys {
		a := tree.LookupAttribute(k.Attribute)
		switch {
		case k == replication.Key{}:
		case a.IsLink():
			o.present[k] = slices.ContainsFunc(e.Linked(a.Name), func(t *tree.Entry) bool { return t.GUID() == k.Target })
		case withheld(a, partner):
			o.values[a.Name] = nil // a cached one, which is no longer right, goes
		default:
			o.values[a.Name] = e.Get(a.Name)
		}
	}
	return o
}

// take takes in a cycle, and tells whether anything in it was new.
func (s *Server) take(c replicationCycle) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.tree.USN()
	slices.SortStableFunc(c.objects, func(a, b replicatedObject) int { return len(a.dn) - len(b.dn) }) // parents first
	for _, o := range c.objects {
		if o.has(replication.Deletion) {
			s.takeDeletion(o)
		}
	}
	for _, o := range c.objects {
		s.takeValues(o, c.known == nil)
	}
	for _, o := range c.objects {
		s.takeLinks(o)
	}
	if c.known != nil {
		s.replica.watermarks[c.source] = c.usn
		s.replica.metadata.Learn(c.known)
	}
	news := s.tree.USN() > before
	if news {
		s.notifyLater()
	}
	return news
}

func (s *Server) takeDeletion(o replicatedObject) {
	if s.replica.metadata.Deleted(o.Object) {
		return
	}
	e := s.tree.ByGUID(o.Object)
	if e != nil {
		for child := range s.tree.Walk(e, tree.SingleLevel) {
			s.loseParent(child)
		}
	}
	s.forgetAccount(o.Object)
	s.tree.ReceiveDeletion(e)
	s.replica.metadata.Accept(o.Object, replication.Deletion, o.Keys[replication.Deletion], s.tree.USN())
}

// takeValues takes in the object itself, where it is new and did not come alone, without its parent, and those of its
// attributes whose stamps prevail.
func (s *Server) takeValues(o replicatedObject, single bool) {
	m := s.replica.metadata
	if o.has(replication.Deletion) || m.Deleted(o.Object) {
		return
	}
	e := s.tree.ByGUID(o.Object)
	made := e == nil
	var prevailed []tree.Value
	for name, values := range o.values {
		k := replication.Key{Attribute: name}
		yields := s.readOnly && o.has(k) && !m.Knows(o.Object, k) // what was written here is no originating update
		if e == nil || yields || o.stamp(name).Beats(m.StampOf(o.Object, k)) {
			prevailed = append(prevailed, tree.Value{Name: name, Values: values})
		}
	}
	switch {
	case len(prevailed) == 0:
		return
	case e != nil:
		s.tree.Receive(e, prevailed)
	case !o.isNew() || single:
		return
	default:
		e = s.takeNew(o, prevailed)
	}
	for _, v := range prevailed {
		if _, own := o.Keys[replication.Key{Attribute: v.Name}]; own || !made {
			m.Accept(o.Object, replication.Key{Attribute: v.Name}, o.stamp(v.Name), s.tree.USN())
		}
		switch v.Name {
		case unicodePwd:
			s.keyVersions[o.Object] = o.keyVersion
		case descriptorAttribute:
			s.inherit(e, s.parentDescriptor(e))
			s.propagate(e)
		case "name":
			s.takeName(o, e)
		}
	}
}

func (s *Server) takeLinks(o replicatedObject) {
	e := s.tree.ByGUID(o.Object)
	for k, present := range o.present {
		target := s.tree.ByGUID(k.Target)
		if e == nil || target == nil || !o.Keys[k].Beats(s.replica.metadata.StampOf(o.Object, k)) {
			continue
		}
		s.tree.ReceiveLink(e, tree.LookupAttribute(k.Attribute), target, present)
		s.replica.metadata.Accept(o.Object, k, o.Keys[k], s.tree.USN())
	}
}

// A journal stamps what is written on a domain controller. The tree calls it while the directory is locked.
type journal struct{ server *Server }

func (j journal) originate(e *tree.Entry, k replication.Key) {
	s := j.server
	s.replica.metadata.Originate(e.GUID(), k, s.clock.Now(), s.tree.USN())
	s.notifyLater()
}

// baseline is what the tree says of a time when there was one domain controller.
func (s *Server) baseline(object replication.GUID, k replication.Key) replication.Stamp {
	e := s.tree.ByGUID(object)
	if e == nil {
		return replication.Stamp{}
	}
	var w tree.Write
	switch target := s.tree.ByGUID(k.Target); {
	case k == replication.Key{}:
		w, _ = e.Written(tree.LookupAttribute("whenCreated"))
	case k.Target == replication.GUID{}:
		w, _ = e.Written(tree.LookupAttribute(k.Attribute))
	case target != nil:
		w, _ = e.LinkWritten(tree.LookupAttribute(k.Attribute), target)
	}
	return replication.Stamp{Version: w.Version, Time: w.Time, Origin: s.replica.first, USN: w.USN, Created: w.Created}
}

// Added is of tree.Journal, as are all that follow.
func (j journal) Added(e *tree.Entry) {
	j.originate(e, replication.Key{})
	for a := range e.All() {
		if !a.IsLink() {
			continue
		}
		for _, target := range e.Linked(a.Name) {
			j.Linking(e, a, target)
		}
	}
}

func (j journal) Writing(e *tree.Entry, a *tree.Attribute) {
	j.originate(e, replication.Key{Attribute: a.Name})
}

func (j journal) Wrote(e *tree.Entry, a *tree.Attribute) { j.server.wrote(e, a) }

func (j journal) Linking(e *tree.Entry, a *tree.Attribute, target *tree.Entry) {
	j.originate(e, replication.Key{Attribute: a.Name, Target: target.GUID()})
}

func (j journal) Renamed(e *tree.Entry) { j.originate(e, replication.Key{Attribute: "name"}) }

func (j journal) Deleted(e *tree.Entry) { j.originate(e, replication.Deletion) }
