package fakead

// Snapshots in memory: a test prepares a domain once and comes back to it, which costs less than a new one.

import (
	"errors"
	"fmt"
	"maps"

	"passback/fakead/tree"
)

// A Snapshot is a domain as it was: its entries with their passwords, and who has which rights. It keeps its own
// copy and can be restored any number of times, on the Server that it is of.
type Snapshot struct {
	tree        *tree.Tree
	keyVersions map[tree.GUID]int
}

// String keeps what is in it out of logs.
func (sn *Snapshot) String() string { return "a snapshot of a domain" }

// GoString keeps what is in it out of logs.
func (sn *Snapshot) GoString() string { return sn.String() }

// Snapshot copies the domain.
func (s *Server) Snapshot() *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &Snapshot{
		tree:        s.tree.Clone(),
		keyVersions: maps.Clone(s.keyVersions),
	}
}

// Restore makes the domain what it was. Connections stay, bound as who they were bound as if that account was
// there, else anonymous; their paged searches end. So do hooks, filters, the clock, Events and PasswordWrites,
// which tell of what has happened all the same. One of several domain controllers is refused: what its partners have
// heard of it since cannot be taken back (that would be a USN rollback).
func (s *Server) Restore(sn *Snapshot) error {
	if len(s.partners()) > 0 {
		return fmt.Errorf("restore %s: %w", s.HostName(), errHasPartners)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tree = sn.tree.Clone()
	s.keyVersions = maps.Clone(sn.keyVersions)
	for _, c := range s.front.sessions() {
		c.resultSets = nil
		if c.user != nil {
			c.become(s.tree.ByGUID(c.user.GUID()))
		}
	}
	return nil
}

var errHasPartners = errors.New("the domain has other domain controllers, which would keep what is taken back here")

// sessions are those of all connections.
func (f *front) sessions() []*session {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]*session, 0, len(f.connections))
	for c := range f.connections {
		all = append(all, c.session)
	}
	return all
}
