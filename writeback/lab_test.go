package writeback_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/go-jose/go-jose/v4"

	"passback/clock"
	"passback/fakead"
	"passback/fakerelay"
	"passback/writeback"
	"passback/writeback/protocol"
)

// patience bounds what should come at once on a machine that may be busy.
const patience = 30 * time.Second

const (
	tenant       = "contoso"
	frontEnd     = "front-1"
	initial      = "Winter-Morning-41"
	bindPassword = "Service-Account-7"
)

var packageKey = bytes.Repeat([]byte{7}, 32)

// A lab is a directory, a relay and a cloud of the least kind: it enrols agents and sends sealed requests.
type lab struct {
	t       *testing.T
	dc      *fakead.Server
	relay   *fakerelay.Namespace
	second  *fakerelay.Namespace // a further relay; nil: none
	enrol   *httptest.Server
	dir     string
	wire    *clock.Running // of the relay
	log     *bytes.Buffer  // of the agents, all of them
	logLock sync.Mutex

	mu     sync.Mutex
	keys   []protocol.PackageKey
	agents []protocol.PublicKey // enrolled, active
	token  string
	usedBy string // thumbprint
	refuse *protocol.EnrolError
	skew   time.Duration // of the cloud's Date header
	mode   protocol.Mode
	rules  map[string]bool // shared access rules that stand
	round  int             // of the relay keys
	lose   bool            // the next answer to an agent that leaves
	others bool            // further active agents are enrolled

	client *azservicebus.Client
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{t: t, dir: t.TempDir(), log: new(bytes.Buffer), wire: clock.NewRunning(), token: "one-time-token", rules: map[string]bool{}, mode: protocol.Active}
	l.dc = fakead.RunT(t)
	must(t, l.dc.AddUser(fakead.User{SAM: "svc-writeback", Password: bindPassword, NeverExpires: true}))
	must(t, l.dc.Delegate("svc-writeback", fakead.Rights{
		ResetPassword: true, ChangePassword: true, WritePwdLastSet: true, WriteLockoutTime: true, WriteMarker: protocol.DefaultMarkerAttribute, Unexpire: true,
	}))
	must(t, l.dc.AddUser(fakead.User{SAM: "alice", Password: initial, PasswordSet: time.Now().Add(-30 * 24 * time.Hour)}))
	l.relay = l.newRelay()
	key, err := protocol.ParsePackageKey("k1", protocol.NewSecret(base64.RawURLEncoding.EncodeToString(packageKey)))
	must(t, err)
	l.keys = []protocol.PackageKey{key}
	l.serveEnrolment()
	l.use(l.relay)
	l.write("bind.secret", bindPassword+"\n")
	l.write("token", l.token)
	l.write("ca.pem", string(l.dc.CA().PEM()))
	l.writeConfig(l.yaml(""))
	return l
}

func (l *lab) newRelay() *fakerelay.Namespace {
	l.t.Helper()
	return fakerelay.RunOptionsT(l.t, fakerelay.Options{CA: l.dc.CA(), Clock: l.wire, Queues: []fakerelay.QueueOptions{
		{Name: protocol.QueueRequests, LockDuration: protocol.LockDuration, MaxDeliveryCount: protocol.MaxDeliveryCount, RequiresDuplicateDetection: true, DuplicateWindow: protocol.DuplicateWindow},
		{Name: protocol.QueueAnswers, RequiresSession: true},
		{Name: protocol.QueueStatus},
	}})
}

// use has the cloud send to, and read from, another relay.
func (l *lab) use(n *fakerelay.Namespace) {
	l.t.Helper()
	var err error
	l.relay = n
	l.client, err = azservicebus.NewClientFromConnectionString(n.ConnectionString(), nil)
	must(l.t, err)
	client := l.client
	l.t.Cleanup(func() { _ = client.Close(context.Background()) })
}

func (l *lab) serveEnrolment() {
	config, err := l.dc.CA().ServerConfig()
	must(l.t, err)
	l.enrol = httptest.NewUnstartedServer(http.HandlerFunc(l.serve))
	l.enrol.TLS = config
	l.enrol.StartTLS()
	l.t.Cleanup(l.enrol.Close)
}

// serve is the cloud's end of an enrolment.
func (l *lab) serve(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	w.Header().Set("Date", time.Now().Add(l.skew).UTC().Format(http.TimeFormat))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	request, signedBy, err := protocol.OpenEnrolRequest(body, time.Now(), l.known)
	if err != nil {
		l.deny(w, &protocol.EnrolError{Status: http.StatusBadRequest, Code: protocol.EnrolBadRequest, Message: err.Error()})
		return
	}
	if request.Unenrol {
		l.leave(w, signedBy)
		if l.lose {
			l.lose = false
			panic(http.ErrAbortHandler)
		}
		return
	}
	if _, enrolled := l.known(signedBy); !enrolled {
		if request.Token.Reveal() != l.token {
			l.deny(w, &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolTokenUnknown, Message: "no such token"})
			return
		}
		if l.usedBy != "" && l.usedBy != signedBy {
			l.deny(w, &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolTokenUsed, Message: "the token was used"})
			return
		}
		l.usedBy = signedBy
		l.agents = append(l.agents, request.Key)
	}
	if _, enrolled := l.known(request.Key.Thumbprint()); !enrolled {
		l.agents = append(l.agents, request.Key) // rolls over: sealed to both from now on
	}
	if l.refuse != nil {
		l.deny(w, l.refuse)
		return
	}
	_, _ = w.Write(l.grant(request, signedBy))
}

// leave takes an agent's rules away and forgets it.
func (l *lab) leave(w http.ResponseWriter, signedBy string) {
	if _, enrolled := l.known(signedBy); !enrolled {
		l.deny(w, &protocol.EnrolError{Status: http.StatusForbidden, Code: protocol.EnrolUnknownAgent, Message: "no such agent"})
		return
	}
	l.agents = slices.DeleteFunc(l.agents, func(k protocol.PublicKey) bool { return k.Thumbprint() == signedBy })
	for queue, use := range map[string]string{protocol.QueueRequests: "listen", protocol.QueueAnswers: "answer", protocol.QueueStatus: "status"} {
		if err := l.relay.DeleteKey(queue, signedBy[:8]+"-"+use); err != nil {
			l.t.Error(err)
		}
	}
}

func (l *lab) deny(w http.ResponseWriter, e *protocol.EnrolError) {
	w.WriteHeader(e.Status)
	_ = json.NewEncoder(w).Encode(e)
}

func (l *lab) known(thumbprint string) (protocol.PublicKey, bool) {
	for _, k := range l.agents {
		if k.Thumbprint() == thumbprint {
			return k, true
		}
	}
	return protocol.PublicKey{}, false
}

func (l *lab) grant(request protocol.EnrolRequest, agent string) []byte {
	mode, reason := l.mode, ""
	if request.Mode == protocol.Staging {
		mode = protocol.Staging
	} else if mode == protocol.Staging {
		reason = "the tenant says so"
	}
	relays := []protocol.Relay{l.rulesOf(l.relay, agent)}
	if l.second != nil {
		relays = append(relays, l.rulesOf(l.second, agent))
	}
	body, err := protocol.SealEnrolResponse(request.Key, protocol.EnrolResponse{
		InReplyTo: request.ID, Tenant: tenant, AgentID: "agent-" + agent, Mode: mode, Reason: reason, OnlyActive: !l.others, PackageKeys: l.keys,
		Relays: relays, MarkerAttribute: protocol.DefaultMarkerAttribute, Domains: []string{"corp.example"}, IssuedAt: time.Now(),
	})
	if err != nil {
		l.t.Error(err)
	}
	return body
}

// rulesOf makes the agent's shared access rules, where they do not stand yet: one that is set again loses its links.
func (l *lab) rulesOf(n *fakerelay.Namespace, agent string) protocol.Relay {
	u, err := url.Parse(n.WebSocketURL())
	if err != nil {
		l.t.Error(err)
	}
	rule := func(queue, use string, rights fakerelay.Rights) protocol.SASRule {
		name := agent[:8] + "-" + use
		if !l.rules[u.Host+queue+name] {
			l.rules[u.Host+queue+name] = true
			if err := n.SetKey(queue, fakerelay.Key{Name: name, Secret: l.secretOf(name, 0), Rights: rights}); err != nil {
				l.t.Error(err)
			}
		}
		return protocol.SASRule{Name: name, Key: protocol.NewSecret(l.secretOf(name, l.round))}
	}
	return protocol.Relay{
		Host:     u.Host,
		Requests: rule(protocol.QueueRequests, "listen", fakerelay.Listen),
		Answers:  rule(protocol.QueueAnswers, "answer", fakerelay.Send),
		Status:   rule(protocol.QueueStatus, "status", fakerelay.Send),
	}
}

func (l *lab) yaml(more string) string {
	ldaps := strings.TrimPrefix(l.dc.LDAPSURL(), "ldaps://")
	return "cloud: " + l.enrol.URL + "/enrol\ncloud_ca_file: ca.pem\nstate_dir: state\n" + more + `
directories:
  - domain: corp.example
    servers: ["` + ldaps + `"]
    ca_file: ca.pem
    bind: {user: svc-writeback@corp.example, password_file: bind.secret}
log: {level: debug, format: json}
`
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) write(name, text string) {
	l.t.Helper()
	must(l.t, os.WriteFile(l.path(name), []byte(text), 0o600))
}

func (l *lab) writeConfig(text string) { l.write("agent.yaml", text) }

func (l *lab) config() writeback.Config {
	l.t.Helper()
	c, err := writeback.LoadConfig(l.path("agent.yaml"))
	must(l.t, err)
	c.Logger = slog.New(slog.NewJSONHandler(writerFunc(l.logged), &slog.HandlerOptions{Level: slog.LevelDebug}))
	return c
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(b []byte) (int, error) { return f(b) }

func (l *lab) logged(b []byte) (int, error) {
	l.logLock.Lock()
	defer l.logLock.Unlock()
	return l.log.Write(b)
}

func (l *lab) logText() string {
	l.logLock.Lock()
	defer l.logLock.Unlock()
	return l.log.String()
}

// event reports whether an event of this id was logged.
func (l *lab) event(id string) bool {
	return strings.Contains(l.logText(), `"event_id":`+id+`,`)
}

func (l *lab) enrolled() writeback.Config {
	l.t.Helper()
	c := l.config()
	must(l.t, writeback.Enroll(within(l.t), c, protocol.NewSecret(l.token)))
	return c
}

// begin runs an agent until the test ends, or until stop is called, which returns what Run did.
func (l *lab) begin(c writeback.Config) (agent *writeback.Agent, ended chan struct{}, stop func() error) {
	l.t.Helper()
	agent, err := writeback.New(c)
	must(l.t, err)
	ctx, cancel := context.WithCancel(context.Background())
	ended = make(chan struct{})
	var failed error
	go func() {
		defer close(ended)
		failed = agent.Run(ctx)
	}()
	stop = func() error {
		cancel()
		<-ended
		return failed
	}
	l.t.Cleanup(func() { _ = stop() })
	return agent, ended, stop
}

// start is begin, and waits until the agent serves.
func (l *lab) start(c writeback.Config) (stop func() error) {
	l.t.Helper()
	agent, ended, stop := l.begin(c)
	select {
	case <-agent.Ready():
	case <-ended:
		l.t.Fatalf("the agent ended: %v\n%s", stop(), l.logText())
	case <-within(l.t).Done():
		l.t.Fatalf("the agent does not serve\n%s", l.logText())
	}
	return stop
}

// request is a reset of alice; change spoils or shapes it.
func (l *lab) request(change func(*protocol.Request)) protocol.Request {
	l.t.Helper()
	id, err := protocol.NewTrackingID()
	must(l.t, err)
	alice, err := l.dc.User("alice")
	must(l.t, err)
	now := time.Now()
	r := protocol.Request{
		TrackingID: id, Tenant: tenant, Operation: protocol.Reset, CloudAnchor: "User_6f9619ff-8b86-4011-b42d-00cf4fc964ff",
		SourceAnchor: base64.StdEncoding.EncodeToString(alice.GUID[:]), UPN: "alice@corp.example", Domain: "corp.example", DC: "dc1.corp.example",
		Actor: "alice@corp.example", Unlock: true, IssuedAt: now, Deadline: now.Add(protocol.DefaultDeadline), ReplySession: frontEnd,
	}
	if change != nil {
		change(&r)
	}
	return r
}

// seal makes the message as the cloud does.
func (l *lab) seal(r protocol.Request, s protocol.Secrets) protocol.Message {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	m, err := protocol.SealRequest(l.keys[0], r, s, l.agents)
	must(l.t, err)
	return m
}

func (l *lab) send(m protocol.Message) {
	l.t.Helper()
	sender, err := l.client.NewSender(protocol.QueueRequests, nil)
	must(l.t, err)
	defer sender.Close(context.Background())
	must(l.t, sender.SendMessage(within(l.t), &azservicebus.Message{MessageID: &m.ID, ReplyToSessionID: &m.ReplySession, Body: m.Body, TimeToLive: &m.TTL}, nil))
}

// answer waits for the next one, opens it and holds it to the request.
func (l *lab) answer(asked protocol.Message) protocol.Answer {
	l.t.Helper()
	session, err := l.client.AcceptSessionForQueue(within(l.t), protocol.QueueAnswers, frontEnd, nil)
	must(l.t, err)
	defer session.Close(context.Background())
	messages, err := session.ReceiveMessages(within(l.t), 1, nil)
	if err != nil {
		l.t.Fatalf("no answer: %v\n%s", err, l.logText())
	}
	m := messages[0]
	must(l.t, session.CompleteMessage(within(l.t), m, nil))
	a, err := protocol.OpenAnswer(l.keys, tenant, protocol.Message{Body: m.Body, CorrelationID: *m.CorrelationID, SessionID: *m.SessionID})
	must(l.t, err)
	if a.RequestHash != asked.Hash() || string(a.TrackingID) != asked.ID {
		l.t.Errorf("the answer is to another request: %+v", a)
	}
	return a
}

// ask sends a request and returns its answer.
func (l *lab) ask(r protocol.Request, s protocol.Secrets) protocol.Answer {
	l.t.Helper()
	m := l.seal(r, s)
	l.send(m)
	return l.answer(m)
}

func newPassword(p string) protocol.Secrets { return protocol.Secrets{New: protocol.NewSecret(p)} }

// forge seals what SealRequest would not: r with changes that break the protocol's rules.
func (l *lab) forge(r protocol.Request, change func(map[string]any)) protocol.Message {
	l.t.Helper()
	m := l.seal(r, newPassword("Spring-Evening-42"))
	sealed, err := jose.ParseEncryptedCompact(string(m.Body), []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
	must(l.t, err)
	text, err := sealed.Decrypt(packageKey)
	must(l.t, err)
	var content map[string]any
	must(l.t, json.Unmarshal(text, &content))
	change(content)
	text, err = json.Marshal(content)
	must(l.t, err)
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: packageKey, KeyID: "k1"}, nil)
	must(l.t, err)
	sealed, err = encrypter.Encrypt(text)
	must(l.t, err)
	body, err := sealed.CompactSerialize()
	must(l.t, err)
	m.Body = []byte(body)
	return m
}

// holdModify holds the next modify that sets a password, before it is applied.
func (l *lab) holdModify(inHand chan<- struct{}, goOn <-chan struct{}) (remove func()) {
	var once sync.Once
	return l.dc.Hook(func(o fakead.Operation) fakead.Action {
		action := fakead.Pass()
		if o.Stage == fakead.BeforeModify && o.SetsPassword() {
			once.Do(func() {
				close(inHand)
				action = fakead.Hold(goOn)
			})
		}
		return action
	})
}

// beats returns the heartbeats in the queue, oldest first.
func (l *lab) beats() (beats []protocol.Heartbeat) {
	l.t.Helper()
	r, err := l.client.NewReceiverForQueue(protocol.QueueStatus, nil)
	must(l.t, err)
	defer r.Close(context.Background())
	messages, err := r.PeekMessages(within(l.t), 100, nil)
	must(l.t, err)
	for _, m := range messages {
		b, err := protocol.OpenHeartbeat(l.keys, tenant, protocol.Message{Body: m.Body, ID: m.MessageID})
		must(l.t, err)
		beats = append(beats, b)
	}
	return beats
}

func (l *lab) passwordIs(user, password string) bool {
	l.t.Helper()
	u, err := l.dc.User(user)
	must(l.t, err)
	return u.PasswordIs(password)
}

func (l *lab) queued(queue string) int {
	l.t.Helper()
	q, err := l.relay.Queue(queue)
	must(l.t, err)
	return q.Count()
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeoutCause(context.Background(), patience, errors.New("the test has lost patience"))
	t.Cleanup(cancel)
	return ctx
}

func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !condition(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s did not come about", what)
		}
	}
}
