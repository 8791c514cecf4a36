package broker

import (
	"bytes"
	"cmp"
	"container/list"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"
)

// session is what a queue knows of one session id. It exists while it has messages, state or a holder.
type session struct {
	id     string
	line   line
	count  int // messages stored under this id
	locked map[*item]struct{}
	state  []byte
	stated time.Time // when state was last set

	holder      *Session // nil: free
	lockedUntil time.Time
	lockEnd     *appointment
	place       *list.Element // among the free ones with messages; nil: not there
}

// A Session is an exclusive lock on the messages of one session id. When it ends, what it had locked goes back.
type Session struct {
	queue *Queue
	of    *session
	ended chan struct{}
}

// A seeker is one AcceptNext call.
type seeker struct {
	result chan found // holds one
}

type found struct {
	session *Session
	err     error
}

func (q *Queue) session(id string) *session {
	s := q.sessions[id]
	if s == nil {
		s = &session{id: id, locked: make(map[*item]struct{})}
		q.sessions[id] = s
	}
	return s
}

func (q *Queue) enterSessions() error {
	if err := q.enterToReceive(); err != nil {
		return err
	}
	if !q.options.RequiresSession {
		q.leave()
		return fmt.Errorf("%s: %w", q.path, ErrNoSessions)
	}
	return nil
}

// Accept locks the session of this id, which need not have messages yet.
func (q *Queue) Accept(id string) (*Session, error) {
	if len(id) > MaxSessionID {
		return nil, fmt.Errorf("%s: %w", q.path, ErrInvalidSessionID)
	}
	if err := q.enterSessions(); err != nil {
		return nil, err
	}
	defer q.leave()
	s := q.session(id)
	if s.holder != nil {
		return nil, fmt.Errorf("%s: %w", q.path, ErrSessionLocked)
	}
	return q.hold(s), nil
}

// AcceptNext locks the free session that has waited longest with messages; it waits until there is one or ctx
// ends.
func (q *Queue) AcceptNext(ctx context.Context) (*Session, error) {
	if err := q.enterSessions(); err != nil {
		return nil, err
	}
	k := &seeker{result: make(chan found, 1)}
	place := q.seekers.PushBack(k)
	q.assign()
	q.leave()
	select {
	case f := <-k.result:
		return f.session, f.err
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.leave()
	select {
	case f := <-k.result:
		if f.err == nil && f.session.of.holder == f.session {
			q.end(f.session.of, false)
		}
	default:
		q.seekers.Remove(place)
	}
	return nil, context.Cause(ctx)
}

// assign joins free sessions with those who seek one.
func (q *Queue) assign() {
	for q.free.Len() > 0 && q.seekers.Len() > 0 {
		k := q.seekers.Remove(q.seekers.Front()).(*seeker)
		k.result <- found{session: q.hold(q.free.Front().Value.(*session))}
	}
}

func (q *Queue) hold(s *session) *Session {
	if s.place != nil {
		q.free.Remove(s.place)
		s.place = nil
	}
	s.holder = &Session{queue: q, of: s, ended: make(chan struct{})}
	s.lockedUntil = q.clock.Now().Add(q.options.LockDuration)
	s.lockEnd = q.agenda.add(s.lockedUntil, func() { q.end(s, true) })
	return s.holder
}

// end frees a session. What it had locked goes back in order, before anybody else can take it: counted as
// failed if the lock expired, not if the holder closed it.
func (q *Queue) end(s *session, failed bool) {
	s.line.dismiss(fmt.Errorf("%s: %w", q.path, ErrSessionLockLost))
	for _, it := range slices.SortedFunc(maps.Keys(s.locked), func(a, b *item) int {
		return cmp.Compare(a.SequenceNumber, b.SequenceNumber)
	}) {
		q.giveBack(it, failed)
	}
	close(s.holder.ended)
	s.holder = nil
	q.agenda.cancel(s.lockEnd)
	q.settleSession(s)
}

// settleSession puts a session where its messages and its holder say it belongs.
func (q *Queue) settleSession(s *session) {
	switch {
	case s.holder != nil:
		q.serve(&s.line)
	case s.line.stock.Len() > 0 && s.place == nil:
		s.place = q.free.PushBack(s)
		q.assign()
	case s.line.stock.Len() == 0 && s.place != nil:
		q.free.Remove(s.place)
		s.place = nil
	}
	if s.count == 0 && s.state == nil && s.holder == nil && q.sessions[s.id] == s {
		delete(q.sessions, s.id)
	}
}

// ID is the session id; it may be empty.
func (s *Session) ID() string { return s.of.id }

// Ended is closed when the lock expired or was given back, not when the queue is deleted.
func (s *Session) Ended() <-chan struct{} { return s.ended }

// enter is the queue's, for the holder only.
func (s *Session) enter() error {
	if err := s.queue.enter(); err != nil {
		return err
	}
	if s.of.holder != s {
		s.queue.leave()
		return fmt.Errorf("%s: %w", s.queue.path, ErrSessionLockLost)
	}
	return nil
}

// Receive is Queue.Receive, of this session's messages.
func (s *Session) Receive(ctx context.Context) (Delivery, error) {
	if err := s.enter(); err != nil {
		return Delivery{}, err
	}
	return s.queue.await(ctx, &s.of.line)
}

// TryReceive is Queue.TryReceive, of this session's messages.
func (s *Session) TryReceive() (Delivery, bool, error) {
	if err := s.enter(); err != nil {
		return Delivery{}, false, err
	}
	defer s.queue.leave()
	d, ok := s.queue.take(&s.of.line)
	return d, ok, nil
}

// ReceiveOr is Queue.ReceiveOr, of this session's messages.
func (s *Session) ReceiveOr(w *Waiter) (Delivery, bool, error) {
	if err := s.enter(); err != nil {
		return Delivery{}, false, err
	}
	defer s.queue.leave()
	d, ok := s.queue.takeOr(&s.of.line, w)
	return d, ok, nil
}

// StopWaiting is Queue.StopWaiting.
func (s *Session) StopWaiting(w *Waiter) bool {
	s.queue.mu.Lock()
	defer s.queue.mu.Unlock()
	return s.of.line.leave(w)
}

// LockedUntil tells when the lock will end.
func (s *Session) LockedUntil() time.Time {
	s.queue.mu.Lock()
	defer s.queue.leave()
	return s.of.lockedUntil
}

// Renew prolongs the lock by the queue's lock duration, from now, and returns when it will end.
func (s *Session) Renew() (time.Time, error) {
	if err := s.enter(); err != nil {
		return time.Time{}, err
	}
	defer s.queue.leave()
	s.of.lockedUntil = s.queue.clock.Now().Add(s.queue.options.LockDuration)
	s.queue.agenda.move(s.of.lockEnd, s.of.lockedUntil)
	return s.of.lockedUntil, nil
}

// State is what SetState kept; nil: nothing.
func (s *Session) State() ([]byte, error) {
	if err := s.enter(); err != nil {
		return nil, err
	}
	defer s.queue.leave()
	return s.of.state, nil
}

// SetState keeps bytes with the session, also while nobody holds it; none forgets them.
func (s *Session) SetState(state []byte) error {
	if len(state) > MaxSessionState {
		return fmt.Errorf("%s: %d bytes, %d are allowed: %w", s.queue.path, len(state), MaxSessionState, ErrState)
	}
	if err := s.enter(); err != nil {
		return err
	}
	defer s.queue.leave()
	if len(state) == 0 {
		state = nil
	}
	growth := stateCost(state) - stateCost(s.of.state)
	if growth > 0 && s.queue.messages.bytes+growth > s.queue.options.MaxSize {
		return fmt.Errorf("%s: %w", s.queue.path, ErrQuota)
	}
	s.queue.messages.bytes += growth
	s.of.state = bytes.Clone(state)
	s.of.stated = s.queue.clock.Now()
	return nil
}

// stateCost is what a kept state is counted for, as cost is for a message.
func stateCost(state []byte) int64 {
	if state == nil {
		return 0
	}
	return int64(len(state)) + overhead
}

// LoseLock ends the lock as if it had expired.
func (s *Session) LoseLock() {
	if s.enter() != nil {
		return
	}
	defer s.queue.leave()
	s.queue.end(s.of, true)
}

// Close gives the lock back. What was received and not settled goes back uncounted.
func (s *Session) Close() {
	if s.enter() != nil {
		return
	}
	defer s.queue.leave()
	s.queue.end(s.of, false)
}
