package broker

// Peek lists messages from a sequence number on without locking them: locked, deferred and scheduled ones too.
// sessionID, unless nil, picks one session's. At most max, and never more than MaxPeek.
func (q *Queue) Peek(from int64, maxCount int, sessionID *string) ([]Stored, error) {
	if err := q.enter(); err != nil {
		return nil, err
	}
	defer q.mu.Unlock()
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
	defer q.mu.Unlock()
	all := make([]Stored, 0, q.messages.len())
	for it := range q.messages.from(0) {
		all = append(all, it.Stored)
	}
	return all
}
