package fakead

// Faults at chosen points: a test can cut the connection, or hold a modify, before or after it is applied.

import (
	"slices"
	"sync"
)

// A Stage says when a hook is called.
type Stage string

// The stages of a modify.
const (
	BeforeModify Stage = "before" // it is decoded, and nothing has been looked at
	AfterModify  Stage = "after"  // it is applied, or refused, and the client does not know
)

// An Operation is what a hook is told. It carries no values.
type Operation struct {
	Stage      Stage
	Caller     string   // DN that the connection is bound as
	Target     string   // DN as the client wrote it
	Attributes []string // that the modify names, as the client wrote them
	Code       int      // result code; only after
}

// SetsPassword tells whether unicodePwd is among the attributes.
func (o Operation) SetsPassword() bool {
	return slices.ContainsFunc(o.Attributes, isUnicodePwd)
}

// An Action is a hook's answer.
type Action struct {
	disconnect bool
	crash      bool
	until      <-chan struct{}
}

// Pass lets the operation go on.
func Pass() Action { return Action{} }

// Disconnect closes the client's connection without an answer. Before a modify, that is not applied.
func Disconnect() Action { return Action{disconnect: true} }

// Crash takes the domain controller down (see Stop) without an answer. After a modify, that is applied.
func Crash() Action { return Action{disconnect: true, crash: true} }

// Hold waits until the channel is closed and then goes on, whether or not the client is still there. A modify
// that is held when the server closes is not applied.
func Hold(until <-chan struct{}) Action { return Action{until: until} }

type hooks struct {
	mu   sync.Mutex
	last int
	all  []hook
}

type hook struct {
	id   int
	call func(Operation) Action
}

// Hook calls f at each stage of each modify, in the order in which hooks were added; the first answer that is
// not Pass counts. f may call the Server. remove takes it away.
func (s *Server) Hook(f func(Operation) Action) (remove func()) {
	s.hooks.mu.Lock()
	defer s.hooks.mu.Unlock()
	s.hooks.last++
	id := s.hooks.last
	s.hooks.all = append(s.hooks.all, hook{id, f})
	return func() {
		s.hooks.mu.Lock()
		defer s.hooks.mu.Unlock()
		s.hooks.all = slices.DeleteFunc(s.hooks.all, func(h hook) bool { return h.id == id })
	}
}

// reach calls the hooks and does as they say; false means that the operation ends here.
func (s *Server) reach(req *request, o Operation) bool {
	s.hooks.mu.Lock()
	all := slices.Clone(s.hooks.all)
	s.hooks.mu.Unlock()
	for _, h := range all {
		action := h.call(o)
		if action.disconnect {
			if action.crash {
				s.Stop()
			}
			req.conn.stop()
			return false
		}
		if action.until != nil {
			select {
			case <-action.until:
				return true
			case <-s.front.closing:
				return false
			}
		}
	}
	return true
}
