package fakead

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// ForestOptions of a Forest. The zero value makes one domain with two writable domain controllers, dc1 and dc2.
type ForestOptions struct {
	Options               // of every domain controller. Fixed ports, LDIF and Audit are the first one's
	DCs     []DC          // in the order in which they are promoted, the first of a domain writable; default: two
	Lag     time.Duration // of replication, on the domain's clock; default DefaultLag
}

// A DC is a domain controller to promote. The zero value is a writable one in the first site.
type DC struct {
	Host     string // first label of its name; default dc1, dc2, ..., the next that is free
	Site     string // made if there is none of that name; default Default-First-Site-Name
	ReadOnly bool
	OS       string // default: the forest's
	Priority uint16 // of its SRV records: the lowest is tried first; default 0
	Weight   uint16 // its share of the clients among those of one priority; default 100
}

// A Forest is what domain controllers in one process know of each other. Domain controllers that were not started
// together know nothing of each other, whatever they are called: each is a forest of its own.
type Forest struct {
	options Options
	lag     time.Duration

	mu   sync.Mutex // taken while a Server's is held, never the other way round
	dcs  []*Server
	rids uint32 // the first identifier that is in no pool
	held links
	cut  links
	dns  []*dns.Server // of ListenDNS
}

// links counts, for pairs of domain controllers, why they do not talk.
type links map[[2]*Server]int

// NewForest starts the domain controllers of a domain.
func NewForest(o ForestOptions) (*Forest, error) {
	if len(o.DCs) == 0 {
		o.DCs = []DC{{}, {}}
	}
	if o.DCs[0].ReadOnly {
		return nil, errors.New("the first domain controller of a domain cannot be read-only")
	}
	o.Host, o.Site = o.DCs[0].Host, o.DCs[0].Site
	if o.DCs[0].OS != "" {
		o.OS = o.DCs[0].OS
	}
	first, err := New(o.Options)
	if err != nil {
		return nil, err
	}
	f := first.forest
	first.setLocation(o.DCs[0])
	if o.Lag != 0 {
		f.lag = max(o.Lag, 0)
	}
	for _, dc := range o.DCs[1:] {
		if _, err := f.Promote(dc); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return f, nil
}

// RunForestT starts the domain controllers of a domain with default options, or with those given, for the length of a
// test.
func RunForestT(t Tester, options ...ForestOptions) *Forest {
	t.Helper()
	var o ForestOptions
	if len(options) > 0 {
		o = options[0]
	}
	f, err := NewForest(o)
	if err != nil {
		t.Fatalf("start a forest: %v", err)
		return nil
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// forestOf is the forest of a new domain's first domain controller.
func forestOf(s *Server, o Options) *Forest {
	return &Forest{options: o, lag: DefaultLag, dcs: []*Server{s}, held: links{}, cut: links{}}
}

// DCs returns the domain controllers, in the order in which they were promoted.
func (f *Forest) DCs() []*Server {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.dcs)
}

// DC returns the domain controller of a host name, with or without the domain's; nil if there is none.
func (f *Forest) DC(host string) *Server {
	for _, s := range f.DCs() {
		if strings.EqualFold(host, s.host) || strings.EqualFold(host, s.HostName()) {
			return s
		}
	}
	return nil
}

// Replicate lets all domain controllers take from each other what they lack, now, except where that is held or one is
// down.
func (f *Forest) Replicate() {
	for again := true; again; {
		again = false
		for _, s := range f.DCs() {
			for _, partner := range s.partners() {
				news, _ := s.pull(partner)
				again = again || news
			}
		}
	}
}

// Close stops all domain controllers.
func (f *Forest) Close() error {
	for _, s := range f.DCs() {
		_ = s.Close()
	}
	return nil
}

// freeHost is the first of dc1, dc2, ... that nobody has.
func (f *Forest) freeHost() string {
	for i := 1; ; i++ {
		if host := fmt.Sprintf("dc%d", i); f.DC(host) == nil {
			return host
		}
	}
}

func (f *Forest) join(s *Server) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dcs = append(f.dcs, s)
}

// isHeld tells whether replication between two is held.
func (f *Forest) isHeld(a, b *Server) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held[pair(f.dcs, a, b)] > 0
}

// connected tells whether two can talk.
func (f *Forest) connected(a, b *Server) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cut[pair(f.dcs, a, b)] == 0 && !a.down.Load() && !b.down.Load()
}

// sever counts a reason why s and others do not talk; the function takes it back.
func (f *Forest) sever(l links, s *Server, others []*Server) func() {
	if len(others) == 0 {
		others = s.partners()
	}
	count := func(by int) {
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, other := range others {
			l[pair(f.dcs, s, other)] += by
		}
	}
	count(1)
	return sync.OnceFunc(func() {
		count(-1)
		s.Replicate()
	})
}

// pair is the same for a and b as for b and a.
func pair(order []*Server, a, b *Server) [2]*Server {
	if slices.Index(order, a) > slices.Index(order, b) {
		return [2]*Server{b, a}
	}
	return [2]*Server{a, b}
}

const ridPoolSize = 500

// allocateRIDs gives a pool of relative identifiers, as the RID master does. Left out on purpose: a RID master that
// is down; pools do not run out.
func (f *Forest) allocateRIDs() (first, after uint32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	first = f.rids
	f.rids += ridPoolSize
	return first, f.rids
}
