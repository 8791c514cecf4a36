package fakead

// Replication partners: who takes changes from whom, and when. Every domain controller of a domain is a partner of
// every other. One that was written to notifies its partners after a while, which then take what they lack; as a
// change that came from a partner is passed on too, holding two of them apart does not keep news from going around.
// Some changes are urgent (lockouts, and the policies for passwords and lockout) and notify at once.

import (
	"errors"
	"slices"
	"time"

	"passback/fakead/tree"
)

// DefaultLag is how long a domain controller waits before it notifies its partners of a change, within a site
// (the first of them; Windows notifies the others three seconds apart).
const DefaultLag = 15 * time.Second

// urgentOfPolicy are attributes of the domain's head whose changes are replicated at once.
var urgentOfPolicy = []string{
	"lockoutDuration", "lockOutObservationWindow", "lockoutThreshold", "maxPwdAge", "minPwdAge", "minPwdLength", "pwdHistoryLength", "pwdProperties",
}

// Why replication did not happen.
var (
	errHeld        = errors.New("replication is held")
	errUnreachable = errors.New("the partner is down or cut off")
)

// pending is what a domain controller is about to tell others, once the directory is no longer locked. Guarded by
// Server.mu.
type pending struct {
	notify timer // armed while changes wait for their lag
	urgent bool
	toPDC  []tree.GUID // accounts of which the PDC emulator is to know

	goodLogons []tree.GUID // accounts whose wrong passwords the PDC emulator is to forget
}

type timer interface{ Stop() bool }

// wrote looks at a change that was made here for what cannot wait.
func (s *Server) wrote(e *tree.Entry, a *tree.Attribute) {
	switch {
	case a.Name == lockoutTime && e.First(lockoutTime) != "0", e.IsHead() && slices.Contains(urgentOfPolicy, a.Name):
		s.pending.urgent = true
	case a.Name == unicodePwd, a.Name == lockoutTime, a.Name == pwdLastSet && e.First(pwdLastSet) == "0":
		s.tellPDC(e.GUID())
	}
}

// notifyLater makes sure that partners are told of what has changed, after the lag.
func (s *Server) notifyLater() {
	if s.pending.notify == nil && !s.closing {
		s.pending.notify = s.clock.AfterFunc(s.forest.lag, s.notify)
	}
}

// notify lets all partners take what they lack.
func (s *Server) notify() {
	s.mu.Lock()
	s.stopNotifying()
	s.mu.Unlock()
	for _, partner := range s.partners() {
		_, _ = partner.pull(s) // one that cannot be reached asks when it can
	}
}

func (s *Server) stopNotifying() {
	if s.pending.notify != nil {
		s.pending.notify.Stop()
		s.pending.notify = nil
	}
}

// unlock ends the work on a locked directory that may have brought about something urgent, and does that.
func (s *Server) unlock() {
	p := s.pending
	s.pending = pending{notify: p.notify}
	s.mu.Unlock()
	for _, account := range p.toPDC {
		s.updatePDC(account)
	}
	for _, account := range p.goodLogons {
		s.tellGoodLogon(account)
	}
	if p.urgent {
		s.notify()
	}
}

// partners are the other domain controllers of the domain.
func (s *Server) partners() []*Server {
	return slices.DeleteFunc(s.forest.DCs(), func(o *Server) bool { return o == s || o.domain != s.domain })
}

// pull takes from a partner what is new (IDL_DRSGetNCChanges). It tells whether anything was.
func (s *Server) pull(source *Server) (news bool, err error) {
	if source.readOnly {
		return false, nil // nobody takes anything from a read-only domain controller
	}
	if s.forest.isHeld(s, source) {
		return false, errHeld
	}
	if !s.forest.connected(s, source) {
		return false, errUnreachable
	}
	s.pulling.Lock() // one at a time; source.pulling is not taken beside it
	defer s.pulling.Unlock()
	s.mu.Lock()
	after, known := s.replica.watermarks[source.invocation], s.replica.metadata.Known(s.tree.USN())
	s.mu.Unlock()
	return s.take(source.cycleFor(s, after, known)), nil
}

// pullObject takes one object from a partner (MS-ADTS 3.1.1.3.3.18, replicateSingleObject).
func (s *Server) pullObject(source *Server, guid tree.GUID) error {
	if !s.forest.connected(s, source) {
		return errUnreachable
	}
	s.take(source.objectFor(s, guid))
	return nil
}

// Replicate lets the domain controller and all its partners take from each other what they lack, now, unless that is
// held or one is down. It returns when all is even, so far as it can be.
func (s *Server) Replicate() {
	for again := true; again; {
		again = false
		for _, partner := range s.partners() {
			in, _ := s.pull(partner)
			out, _ := partner.pull(s)
			again = again || in || out
		}
	}
}

// HoldReplication stops replication with the partners named, or with all, in both directions, until release is called,
// which lets them catch up at once. Holds add up. What does not use replication goes on: a new password still reaches
// the PDC emulator, and a wrong one is still tried there; Cut ends that too.
func (s *Server) HoldReplication(partners ...*Server) (release func()) {
	return s.forest.sever(s.forest.held, s, partners)
}

// Cut cuts the network between the domain controller and those named, or all others of its forest, in both directions,
// until restore is called, which lets them catch up at once. Clients reach all as before.
func (s *Server) Cut(from ...*Server) (restore func()) {
	return s.forest.sever(s.forest.cut, s, from)
}
