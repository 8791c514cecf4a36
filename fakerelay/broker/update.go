package broker

// Updates of what exists. What an entity is made of cannot be changed: sessions, duplicate detection, partitions.

// forDeadLetters are the options of a queue's dead-letter queues.
func (o QueueOptions) forDeadLetters() QueueOptions {
	return QueueOptions{Name: o.Name, LockDuration: o.LockDuration, MaxDeliveryCount: o.MaxDeliveryCount, MaxSize: o.MaxSize}
}

// update takes options that have been checked and have no defaults left. What is there to receive goes where it is
// to be forwarded from now on.
func (q *Queue) update(o QueueOptions) error {
	if err := q.enter(); err != nil {
		return err
	}
	defer q.leave()
	old := q.options
	for _, fixed := range []struct {
		property string
		changed  bool
	}{
		{"RequiresSession", old.RequiresSession != o.RequiresSession},
		{"RequiresDuplicateDetection", old.RequiresDuplicateDetection != o.RequiresDuplicateDetection},
		{"EnablePartitioning", old.Partitioned != o.Partitioned},
	} {
		if fixed.changed {
			return &ImmutableError{Kind: q.kind, Path: q.path, Property: fixed.property}
		}
	}
	o.Name = old.Name
	q.options = o
	q.seen.window = o.DuplicateWindow
	q.updated = q.clock.Now()
	if q.idleWatch != nil {
		q.idleWatch.Stop()
	}
	q.watchIdle()
	if q.kind == KindTopic {
		return nil
	}
	q.dead.reshape(o.forDeadLetters())
	q.transfer.reshape(o.forDeadLetters())
	if o.ForwardTo != "" {
		for _, it := range q.main.stock.inOrder() {
			q.offer(it)
		}
	}
	if o.ForwardDeadLettersTo != "" {
		for _, s := range q.dead.empty() {
			s.DeadLetterSource = q.path
			q.spill(s, o.ForwardDeadLettersTo)
		}
	}
	return nil
}

func (q *Queue) reshape(o QueueOptions) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.options = o
}

// empty takes out what is there to receive.
func (q *Queue) empty() []Stored {
	if q.enter() != nil {
		return nil
	}
	defer q.leave()
	var all []Stored
	for _, it := range q.main.stock.inOrder() {
		q.drop(it)
		all = append(all, it.Stored)
	}
	return all
}
