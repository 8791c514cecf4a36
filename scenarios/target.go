package scenarios

import (
	"context"
	"time"

	"passback/writeback/protocol"
)

// A Target is all that a scenario may see: a cloud to ask, a directory to seed and to read, a relay, agents. It is opened
// anew for each scenario, in the scenario's Setup, and nothing of one is seen by the next. Its methods return an error
// when the asking itself failed; what was answered is in what they return.
//
// A method that needs a Capability which the target lacks returns an error; a runner never lets it come to that.
type Target interface {
	// Lacks says why the target cannot do c, as a sentence for a report; empty: it can.
	Lacks(c Capability) string
	// Close ends what the target started and removes what it seeded.
	Close() error

	Cloud
	Directory
	Relay
	Agents
}

// Cloud is the tenant as people, administrators and programs meet it.
type Cloud interface {
	// Ask sends one request by one way in, and returns when the cloud has answered the caller.
	Ask(ctx context.Context, a Ask) (Answer, error)
	// SignIn tries a password at the cloud's sign-in.
	SignIn(ctx context.Context, u User, password protocol.Secret) (SignIn, error)
	// SwitchWriteback sets the tenant's "write back passwords to your on-premises directory".
	SwitchWriteback(ctx context.Context, on bool) error
	// FailNextCopy lets the cloud's next write of a copy fail, after the directory took the password.
	FailNextCopy(ctx context.Context) error
	// Synchronise brings the directory's people to the cloud.
	Synchronise(ctx context.Context) error
	// EnrolmentToken draws a one-time token for an agent.
	EnrolmentToken(ctx context.Context) (protocol.Secret, error)
	// Alive lists the ids of the agents that the cloud counts as alive.
	Alive(ctx context.Context) ([]string, error)
}

// Directory is the Active Directory domain that passwords are written to.
type Directory interface {
	// Seed makes a person in the directory and brings them to the cloud.
	Seed(ctx context.Context, p Person) (User, error)
	// Alter changes a seeded person in the directory alone: the cloud learns nothing.
	Alter(ctx context.Context, u User, a Alteration) error
	// SetPolicy sets the domain's password policy.
	SetPolicy(ctx context.Context, p Policy) error
	// Account reads a person's state by LDAP.
	Account(ctx context.Context, u User) (Account, error)
	// Bind tries a password by a simple bind over TLS.
	Bind(ctx context.Context, u User, password protocol.Secret) (Bind, error)
	// Advance moves the directory's and the tenant's time on. (AdvanceClock)
	Advance(ctx context.Context, d time.Duration) error
	// RefusePassword installs a password filter that refuses this one password. (PasswordFilters)
	RefusePassword(ctx context.Context, password protocol.Secret) error
	// OfferPolicyHints switches the policy-hints control. (HintsSwitch)
	OfferPolicyHints(ctx context.Context, offered bool) error
	// StopDirectory makes the directory unreachable for the agents until start is called. (StopDirectory)
	StopDirectory(ctx context.Context) (start func() error, err error)
	// RevokeAgentRights takes from the agent's account what it was delegated: these rights, or all. (AgentRights; of
	// Unexpire, UnexpireRight)
	RevokeAgentRights(ctx context.Context, rights ...Right) error
	// SetFineGrained gives one person a password settings object of their own.
	SetFineGrained(ctx context.Context, u User, p Policy) error
	// BindInClear tries a password by a simple bind without TLS; signing says that it was refused for that, and the
	// password not looked at. (Release2025)
	BindInClear(ctx context.Context, u User, password protocol.Secret) (signing bool, err error)
	Replicas
}

// Replicas are the controllers of a domain that has several, each by the first label of its name. What is seeded, altered
// or set reaches all of them at once, unless replication is held. What does not say where it is done is done at the
// first writable one. (Controllers)
type Replicas interface {
	// HoldReplication keeps the controllers apart until release is called, which lets them catch up.
	HoldReplication(ctx context.Context) (release func() error, err error)
	// StopController takes one down as a power failure does. start lets it catch up before it returns.
	StopController(ctx context.Context, host string) (start func() error, err error)
	// MovePDC makes another the PDC emulator.
	MovePDC(ctx context.Context, host string) error
	// AccountAt is Account, read at one of them.
	AccountAt(ctx context.Context, host string, u User) (Account, error)
	// BindAt is Bind at one of them.
	BindAt(ctx context.Context, host string, u User, password protocol.Secret) (Bind, error)
	// SentTo counts the modifies with a marker that agents have sent to one of them so far.
	SentTo(ctx context.Context, host string) (int, error)
}

// A Right that the agent's account is delegated.
type Right string

// The rights that can be taken one by one.
const (
	WriteMarker Right = "read and write the marker's attribute"
	Unexpire    Right = "Unexpire Password, on the domain"
)

// Relay is the Service Bus namespace between cloud and agents, as one who owns it could look into it.
type Relay interface {
	// Trap catches the next thing that comes to a point and holds it there. (DirectoryTraps, RelayTraps)
	Trap(ctx context.Context, p Point) (Trap, error)
	// Traffic returns every message that the relay has stored so far, oldest first, settled ones too. (RawRelay)
	Traffic(ctx context.Context) ([]Carried, error)
	// Inject puts a message into a queue of the last relay: with Setup.SecondRelay that is the one on which the cloud
	// has sent nothing, so that duplicate detection does not know it. (RawRelay)
	Inject(ctx context.Context, queue string, m protocol.Message) error
	// Settled waits until nothing is left in a queue of any relay. (RawRelay)
	Settled(ctx context.Context, queue string) error
	// Forge seals a request of a person as told, and gives it to nobody. (Forge)
	Forge(ctx context.Context, f Forgery) (protocol.Message, error)
}

// Agents are the on-premises side.
type Agents interface {
	// Enrol enrols a new agent with a token and does not start it. A refusal by the cloud is an error.
	Enrol(ctx context.Context, token protocol.Secret) error
	// StartAgent enrols and starts one more agent and waits until the cloud counts it as alive.
	StartAgent(ctx context.Context) (Agent, error)
	// Running lists the agents that were started and not stopped, the first one first.
	Running() []Agent
	// Restart starts an agent that was killed or stopped again, from what it had on its disk.
	Restart(ctx context.Context, a Agent) error
	// Kill ends an agent as a crash does: no goodbye, nothing settled, its connections cut.
	Kill(ctx context.Context, a Agent) error
	// Stop ends an agent as SIGTERM does, and waits until it has drained.
	Stop(ctx context.Context, a Agent) error
	// Written returns all that the agents have written so far: logs, and the files in their state directories.
	Written(ctx context.Context) ([]byte, error)
	// Sockets returns all that an agent's processes have listened on and been connected to since they were started,
	// its enrolment too. (AgentProcess)
	Sockets(ctx context.Context, a Agent) (Sockets, error)
	// Expected are the only peers that an agent may have.
	Expected() Peers
}

// Peers of an agent, as host:port.
type Peers struct {
	Relays      []string
	Controllers []string // of the directory
	Enrolment   string   // connected to for a moment only
}

// An Agent is one that the target started. The id is the target's own.
type Agent struct{ ID string }

// Sockets of a process, as host:port of TCP, or a protocol's name and address for anything else that listens.
type Sockets struct{ Listening, Peers []string }

// Carried is a message as a relay stored it.
type Carried struct {
	Queue   string
	Message protocol.Message
	Raw     []byte // everything stored of it: header, properties, body
}

// A Point is where the path of a request can be held.
type Point string

// The points, in the order in which a request meets them.
const (
	AtDelivery   Point = "the request is on its way to an agent, locked"
	BeforeModify Point = "the modify has reached the directory and is not applied"
	AfterModify  Point = "the directory has applied the modify and not said so"
	AtAnswer     Point = "the answer has reached the relay and is not stored"
	AtSettlement Point = "the settlement has reached the relay and is not taken"
)

// A Trap holds what it caught until it is released. A trap that is released before it caught anything is removed.
type Trap struct {
	Caught  <-chan struct{}
	Release func(Fate)
}

// A Fate is what becomes of what a trap held.
type Fate int

// The fates.
const (
	GoOn Fate = iota // as if nothing had been
	Lose             // it is lost and the connection cut: at BeforeModify nothing is applied, at AfterModify the result is lost
)

// A Forgery is a request that the cloud would not make: sealed as a valid one, but for what is set.
type Forgery struct {
	User       User
	New        protocol.Secret
	Issued     time.Duration // after now; negative: in the past, by which its deadline is earlier too
	Tenant     string        // default: the target's own
	Foreign    bool          // sealed by another tenant, with that tenant's keys
	SpliceFrom *User         // the sealed secrets are those of a request for this other user
}
