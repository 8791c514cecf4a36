package fakerelay

import (
	"cmp"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"passback/clock"
	"passback/fakerelay/amqp"
	"passback/fakerelay/broker"
)

// connection is one client's AMQP connection: what it may do, and the links that depend on that.
type connection struct {
	ns     *Namespace
	number uint64 // counted from 1, in the trace
	amqp   *amqp.Conn
	log    *slog.Logger

	container string        // our container-id
	serial    atomic.Uint64 // of the last link that was watched

	mu        sync.Mutex
	grants    map[string]*heldGrant    // by folded path
	links     map[*entityLink]struct{} // of entities and of $management
	replies   []*replyLink             // where $cbs and $management answer
	linkless  clock.Timer              // nil: there are links
	gone      bool                     // the connection has ended
	cbsSend   bool                     // the connection's only link to $cbs is there
	cbsAnswer bool                     // the connection's only link from $cbs is there
}

// entityLink is a link that needs a right on a path.
type entityLink struct {
	path    string
	queue   *broker.Queue // what the path leads to; that of its entity for $management
	right   Rights        // 0: any token for the path will do
	name    string
	detach  func(*amqp.Error)
	session *broker.Session // nil: none
	idle    idleWatch
}

// serveAMQP runs a connection until it ends; tryWrite is amqp.Config's.
func (n *Namespace) serveAMQP(nc net.Conn, tryWrite func([]byte) (int, error)) {
	number := n.serial.Add(1)
	c := &connection{
		ns: n, number: number, log: n.log.With("connection", number, "peer", nc.RemoteAddr().String()),
		grants: make(map[string]*heldGrant), links: make(map[*entityLink]struct{}),
	}
	id := uuid.New()
	c.container = fmt.Sprintf("%x_G%d", id[:], rand.IntN(100))
	c.amqp = amqp.NewConn(nc, amqp.Config{
		ContainerID:    c.container,
		MaxMessageSize: uint64(n.tier.MaxMessageSize()),
		Mechanisms:     c.mechanisms(),
		TryWrite:       tryWrite,
		Tracer:         &n.trace.frames,
		Name:           strconv.FormatUint(number, 10),
	}, amqp.Handler{Attach: c.attach})
	n.mu.Lock()
	n.conns[c] = struct{}{}
	n.mu.Unlock()
	c.mu.Lock()
	c.watchLinks()
	c.mu.Unlock()
	c.log.Debug("connected")
	n.trace.note(number, "++ connected from "+nc.RemoteAddr().String())
	err := c.amqp.Serve(n.ctx)
	n.trace.note(number, "-- disconnected"+because(err))
	n.mu.Lock()
	delete(n.conns, c)
	n.mu.Unlock()
	c.forget()
	c.log.Debug("disconnected", "err", err)
}

func (n *Namespace) connections() []*connection {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := make([]*connection, 0, len(n.conns))
	for c := range n.conns {
		all = append(all, c)
	}
	return all
}

// mechanisms are the service's. Only PLAIN, with a key's name and secret, allows something by itself; EXTERNAL
// would need a client certificate. MSSBCBS and ANONYMOUS lead to $cbs.
func (c *connection) mechanisms() []amqp.Mechanism {
	return []amqp.Mechanism{
		{Name: "MSSBCBS"},
		amqp.Plain(c.plain),
		amqp.Anonymous(),
		{Name: "EXTERNAL", Authenticate: func(*amqp.SASLExchange) amqp.SASLCode { return amqp.SASLAuth }},
	}
}

// host is what the client calls this namespace.
func (c *connection) host() string {
	if open := c.amqp.Peer(); open != nil && open.Hostname != "" {
		return open.Hostname
	}
	return "localhost"
}

// noTransactions names the namespace by the first part of its host's name.
func (c *connection) noTransactions(system string) *amqp.Error {
	name, _, _ := strings.Cut(c.host(), ".")
	return amqp.Errorf(amqp.CondNotAllowed, textNoTransactions+"%s", name, tracking(system))
}

// The kinds of nodes that a link can lead to.
const (
	cbsNode          = "$cbs"
	managementSuffix = "/$management"
)

// attach answers a link by where it leads to.
func (c *connection) attach(r *amqp.AttachRequest) {
	address := ""
	sends := r.Attach.Role == amqp.RoleSender
	switch {
	case sends && r.Attach.Target != nil:
		address = r.Attach.Target.Address
	case !sends && r.Attach.Source != nil:
		address = r.Attach.Source.Address
	}
	if r.Attach.Coordinator != nil {
		r.Refuse(c.noTransactions("NoSystemTracker"))
		return
	}
	path, err := audiencePath(address)
	if err != nil || path == "" {
		r.Refuse(amqp.Errorf(amqp.CondInvalidField, "The address of the link is missing or is not a path.%s", tracking("NoSystemTracker")))
		return
	}
	attempt := &step{
		Event: Event{Kind: Attach, Entity: path, Role: r.Attach.Role.String()},
		ctx:   r.Context(), detach: r.Refuse, refuse: func(why refusal) { r.Refuse(why.err()) },
	}
	c.consult(attempt, func() { c.attachTo(r, path, sends) })
}

func (c *connection) attachTo(r *amqp.AttachRequest, path string, sends bool) {
	entity, isManagement := cutManagement(path)
	switch {
	case strings.EqualFold(path, cbsNode):
		c.attachCBS(r, sends)
	case isManagement:
		c.attachManagement(r, entity, sends)
	case sends:
		c.attachSender(r, path)
	default:
		c.attachReceiver(r, path)
	}
}

func cutManagement(path string) (entity string, is bool) {
	at := len(path) - len(managementSuffix)
	if at > 0 && strings.EqualFold(path[at:], managementSuffix) {
		return path[:at], true
	}
	return path, false
}

// entity finds what a link leads to, and refuses the link if it may not be opened. scope is what the client needs
// a token for: the entity's path, or its $management node.
func (c *connection) entity(r *amqp.AttachRequest, path, scope string, right Rights) (*broker.Queue, bool) {
	if !c.allowed(scope, right) {
		r.Refuse(c.denied(scope, right))
		return nil, false
	}
	q, err := c.ns.broker().Node(path)
	if err != nil {
		r.Refuse(c.linkError(err, path))
		return nil, false
	}
	return q, true
}

// enter counts a link in before its attach is answered, so that whoever has the answer knows the link to be watched.
func (c *connection) enter(l *entityLink) {
	c.mu.Lock()
	c.links[l] = struct{}{}
	c.watchLinks()
	c.mu.Unlock()
	entity, _ := cutManagement(l.path)
	if q, err := c.ns.broker().Node(entity); err != nil || q != l.queue { // deleted since it was looked up, unseen by detachFrom
		l.detach(l.gone())
	}
	if !c.allowed(l.path, l.right) { // the token has ended since the attach was looked at
		l.detach(c.lapsed(l))
	}
}

func (c *connection) exit(l *entityLink) {
	l.idle.stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.links, l)
	c.watchLinks()
}

// openLinks lists them by name, so that what happens to all happens in one order.
func (c *connection) openLinks() []*entityLink {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*entityLink, 0, len(c.links))
	for l := range c.links {
		all = append(all, l)
	}
	slices.SortFunc(all, func(a, b *entityLink) int { return cmp.Compare(a.name, b.name) })
	return all
}

// detachFrom detaches the links to what was deleted.
func (c *connection) detachFrom(concerns func(path string) bool) {
	for _, l := range c.openLinks() {
		if concerns(l.path) {
			l.detach(l.gone())
		}
	}
}

// gone is why a link ends whose entity was deleted or updated.
func (l *entityLink) gone() *amqp.Error {
	return amqp.Errorf(amqp.CondDetachForced, textEntityGone+"%s", l.name, l.path, tracking(l.path))
}
