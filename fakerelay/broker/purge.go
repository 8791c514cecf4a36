package broker

import "time"

// DeleteMessages drops messages that are there to receive, oldest first, and returns how many: at most most of them,
// those enqueued before a time unless it is zero. Locked, deferred and scheduled ones stay.
func (q *Queue) DeleteMessages(most int, before time.Time) (int, error) {
	if err := q.enterPlain(); err != nil {
		return 0, err
	}
	defer q.leave()
	return q.purge(&q.main, most, before), nil
}

// DeleteMessages is Queue.DeleteMessages, of this session's.
func (s *Session) DeleteMessages(most int, before time.Time) (int, error) {
	if err := s.enter(); err != nil {
		return 0, err
	}
	defer s.queue.leave()
	return s.queue.purge(&s.of.line, most, before), nil
}

func (q *Queue) purge(l *line, most int, before time.Time) int {
	dropped := 0
	for dropped < most && l.stock.Len() > 0 {
		oldest := l.stock[0]
		if !before.IsZero() && !oldest.EnqueuedAt.Before(before) {
			break
		}
		q.drop(oldest)
		dropped++
	}
	return dropped
}
