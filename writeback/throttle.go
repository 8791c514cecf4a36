package writeback

import (
	"fmt"
	"sync"
	"time"

	"passback/writeback/protocol"
)

// Limits are how many requests are begun in any minute; what is beyond is answered throttled, and nothing is sent to
// the directory. They are for a cloud that has gone wrong, or was taken over: people do not come near them. Each agent
// counts for itself. A redelivery is no new request, and is never throttled: its first delivery may have been applied.
type Limits struct {
	User  int `yaml:"user"`  // of one person; default 30
	Total int `yaml:"total"` // of all; default 12000
}

const (
	defaultUserLimit  = 30
	defaultTotalLimit = 12000
	// maxCounted bounds the memory for people who are counted; beyond it only the limit of all holds.
	maxCounted = 100_000
)

func (l Limits) validate() error {
	if l.User < 0 || l.Total < 0 {
		return fmt.Errorf("limits: user %d and total %d: want a number of requests a minute, or 0 for the default", l.User, l.Total)
	}
	return nil
}

func (l *Limits) defaults() {
	if l.User == 0 {
		l.User = defaultUserLimit
	}
	if l.Total == 0 {
		l.Total = defaultTotalLimit
	}
}

// A throttle counts requests with a bucket for each person and one for all: a bucket holds a minute's worth, and fills
// within a minute.
type throttle struct {
	mu     sync.Mutex
	limits Limits
	all    bucket
	users  map[string]*bucket // by source anchor
}

type bucket struct {
	used float64
	at   time.Time
}

// drained is how much of the bucket is in use at now.
func (b *bucket) drained(limit int, now time.Time) float64 {
	return max(0, b.used-now.Sub(b.at).Minutes()*float64(limit))
}

func newThrottle(l Limits) *throttle { return &throttle{limits: l, users: map[string]*bucket{}} }

// set has other limits hold from now on.
func (t *throttle) set(l Limits) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.limits = l
}

// begin counts a request, unless that is one too many: then it says why.
func (t *throttle) begin(r protocol.Request, now time.Time) (refusal string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	user := t.users[r.SourceAnchor]
	if user == nil {
		t.forget(now)
		user = &bucket{}
		if len(t.users) < maxCounted {
			t.users[r.SourceAnchor] = user
		}
	}
	ofUser, ofAll := user.drained(t.limits.User, now)+1, t.all.drained(t.limits.Total, now)+1
	switch {
	case ofUser > float64(t.limits.User):
		return fmt.Sprintf("more than %d requests of this person in a minute (limits.user)", t.limits.User)
	case ofAll > float64(t.limits.Total):
		return fmt.Sprintf("more than %d requests in a minute (limits.total)", t.limits.Total)
	}
	*user, t.all = bucket{ofUser, now}, bucket{ofAll, now}
	return ""
}

// forget drops those whose bucket is full again, when there are many.
func (t *throttle) forget(now time.Time) {
	if len(t.users) < maxCounted {
		return
	}
	for anchor, b := range t.users {
		if b.drained(t.limits.User, now) == 0 {
			delete(t.users, anchor)
		}
	}
}
