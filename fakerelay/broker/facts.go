package broker

import "time"

// Facts are what a running entity tells of itself: its times, and what it holds.
type Facts struct {
	CreatedAt  time.Time
	UpdatedAt  time.Time
	AccessedAt time.Time // when it was last sent to or received from; zero: never

	Size                int64 // bytes as they count against MaxSize: of a queue with its dead letters, of a topic with its subscriptions
	Active              int   // messages that are neither deferred nor scheduled; locked ones too
	Deferred            int
	Scheduled           int
	DeadLetters         int
	TransferDeadLetters int // that could not be forwarded
}

// Total counts all messages.
func (f Facts) Total() int {
	return f.Active + f.Deferred + f.Scheduled + f.DeadLetters + f.TransferDeadLetters
}

// Facts are the queue's, with its dead letters counted; those of a topic's own queue tell nothing of subscriptions.
func (q *Queue) Facts() Facts {
	if q.enter() != nil {
		return Facts{}
	}
	f := Facts{CreatedAt: q.created, UpdatedAt: q.updated, AccessedAt: q.accessed, Size: q.messages.bytes}
	for it := range q.messages.from(0) {
		switch it.State {
		case Active:
			f.Active++
		case Deferred:
			f.Deferred++
		case Scheduled:
			f.Scheduled++
		}
	}
	q.leave()
	if q.dead != nil {
		f.DeadLetters, f.TransferDeadLetters = q.dead.Len(), q.transfer.Len()
		f.Size += q.dead.size() + q.transfer.size()
	}
	return f
}

// TopicFacts are a topic's, with its subscriptions looked into.
type TopicFacts struct {
	Facts              // Active and DeadLetters are 0: messages are in the subscriptions
	Subscriptions      int
	SQLFilters         int // rules of all subscriptions; the service counts those with a TrueFilter or a FalseFilter here
	CorrelationFilters int
}

// Facts are the topic's.
func (t *Topic) Facts() TopicFacts {
	f := TopicFacts{Facts: t.intake.Facts()}
	for _, s := range t.all() {
		of := s.queue.Facts()
		f.Size += of.Size
		if of.AccessedAt.After(f.AccessedAt) {
			f.AccessedAt = of.AccessedAt
		}
		f.Subscriptions++
		for _, r := range s.Rules() {
			switch r.Filter.Kind {
			case SQLFilter, TrueFilter, FalseFilter:
				f.SQLFilters++
			case CorrelationFilter:
				f.CorrelationFilters++
			}
		}
	}
	return f
}

// Facts are the subscription's, with its dead letters counted.
func (s *Subscription) Facts() Facts { return s.queue.Facts() }
