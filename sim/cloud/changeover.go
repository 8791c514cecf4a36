package cloud

import (
	"context"
	"errors"
	"slices"

	"passback/writeback/protocol"
)

// ownRules are the cloud's own of one relay, by queue, with the key that is in force. It needs t.enrolling or t.mu, but at
// the start.
func (t *Tenant) ownRules(relay int) map[string]protocol.SASRule {
	rules := map[string]protocol.SASRule{}
	for _, queue := range queues {
		rules[queue] = t.access.given(relay, queue)
	}
	return rules
}

// changeOver has every link go on by the keys in force, and needs t.enrolling.
func (f *frontEnd) changeOver() error {
	var failed []error
	for i, l := range f.links {
		changed, err := l.changeOver(f.tenant.ownRules(i))
		if err != nil {
			failed = append(failed, err)
			continue
		}
		f.mu.Lock()
		f.changing = append(f.changing, changed)
		f.mu.Unlock()
		f.work.Go(func() {
			<-changed
			notify(f.tenant.rotate)
		})
	}
	return errors.Join(failed...)
}

// changed reports whether nothing uses former keys any more.
func (f *frontEnd) changed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changing = slices.DeleteFunc(f.changing, func(c <-chan struct{}) bool {
		select {
		case <-c:
			return true
		default:
			return false
		}
	})
	return len(f.changing) == 0
}

// awaitChanged waits for it, but not for ever.
func (f *frontEnd) awaitChanged(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, changeOver)
	defer cancel()
	f.mu.Lock()
	changing := slices.Clone(f.changing)
	f.mu.Unlock()
	for _, c := range changing {
		select {
		case <-c:
		case <-ctx.Done():
			return
		}
	}
}
