package broker

import (
	"slices"
	"time"
)

// Peek lists messages from a sequence number on without locking them: locked, deferred and scheduled ones too.
// sessionID, unless nil, picks one session's. At most max, and never more than MaxPeek.
func (q *Queue) Peek(from int64, maxCount int, sessionID *string) ([]Stored, error) {
	if err := q.enterToReceive(); err != nil {
		return nil, err
	}
	defer q.leave()
	var found []Stored
	for it := range q.messages.from(from) {
		if len(found) >= min(maxCount, MaxPeek) {
			break
		}
		if sessionID == nil || it.SessionID != nil && *it.SessionID == *sessionID {
			found = append(found, it.Stored)
		}
	}
	return found, nil
}

// All lists every message, for tests and for looking into a queue.
func (q *Queue) All() []Stored {
	if q.enter() != nil {
		return nil
	}
	defer q.leave()
	all := make([]Stored, 0, q.messages.len())
	for it := range q.messages.from(0) {
		all = append(all, it.Stored)
	}
	return all
}

// Sessions lists, in order, the ids of the sessions whose state was set since a time, or, for the zero time, of
// those that have messages or state.
func (q *Queue) Sessions(since time.Time) ([]string, error) {
	if err := q.enterSessions(); err != nil {
		return nil, err
	}
	defer q.leave()
	var ids []string
	for id, s := range q.sessions {
		if since.IsZero() && (s.count > 0 || s.state != nil) || !since.IsZero() && s.state != nil && !s.stated.Before(since) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}
