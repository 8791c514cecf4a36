package protocol

import "time"

// An Operation is what a request asks the directory for.
type Operation string

// The operations.
const (
	Reset      Operation = "reset"      // the person's own, forgotten password: administrative set with policy hints
	Change     Operation = "change"     // the person's own, current password known; a forced change too
	AdminReset Operation = "adminReset" // by an administrator
	Unlock     Operation = "unlock"     // the password is untouched
)

// SetsPassword reports whether the operation carries a new password.
func (o Operation) SetsPassword() bool { return o == Reset || o == Change || o == AdminReset }

// A Request asks for one operation on one user, on one domain controller, before a deadline.
type Request struct {
	TrackingID   TrackingID   `json:"trackingId"`
	Tenant       string       `json:"tenant"`
	Operation    Operation    `json:"operation"`
	CloudAnchor  string       `json:"cloudAnchor"`  // User_<guid>
	SourceAnchor string       `json:"sourceAnchor"` // base64 of mS-DS-ConsistencyGuid, or of objectGUID
	UPN          string       `json:"upn"`
	Domain       string       `json:"domain"`               // DNS name
	DC           string       `json:"dc"`                   // dnsHostName of the only DC written or read for this request
	Actor        string       `json:"actor"`                // UPN of who asked: the person, or the administrator
	Unlock       bool         `json:"unlock,omitempty"`     // clear lockoutTime in the same modify
	MustChange   bool         `json:"mustChange,omitempty"` // at next sign-in
	Supersedes   []TrackingID `json:"supersedes,omitempty"` // this user's requests of the last hour that ended unknown
	IssuedAt     time.Time    `json:"issuedAt"`
	Deadline     time.Time    `json:"deadline"`
	ReplySession string       `json:"replySession"`
}

// Secrets are what only the recipients of a request may read.
type Secrets struct {
	Old Secret // of a change
	New Secret // of all but an unlock
}

// An Answer tells what became of a request.
type Answer struct {
	TrackingID   TrackingID `json:"trackingId"`
	Tenant       string     `json:"tenant"`
	RequestHash  string     `json:"requestHash"` // Message.Hash of the request as it was received
	ReplySession string     `json:"replySession"`
	AgentID      string     `json:"agentId"`
	Outcome      Outcome    `json:"outcome"`
	Violation    *Violation `json:"violation,omitempty"` // of policyViolation
	Notes        []Note     `json:"notes,omitempty"`
	DC           string     `json:"dc,omitempty"`     // that decided
	Detail       string     `json:"detail,omitempty"` // for the administrator: the DC's own words; MaxText bytes at most
	IssuedAt     time.Time  `json:"issuedAt"`
}

// A Note says something of a success that the person or the administrator should know.
type Note string

// MustChangeDropped says that the account's password never expires, so must-change at next sign-in was not set.
const MustChangeDropped Note = "mustChangeDropped"

// A Mode is whether an agent takes requests.
type Mode string

// The modes. A staging agent beats and watches its directory, and takes no requests.
const (
	Active  Mode = "active"
	Staging Mode = "staging"
)

// A Heartbeat says that an agent is there and what it can reach. It is judged by its sealed IssuedAt.
type Heartbeat struct {
	ID        string        `json:"id"` // also the MessageID
	Tenant    string        `json:"tenant"`
	AgentID   string        `json:"agentId"`
	AgentName string        `json:"agentName"`
	Version   string        `json:"version"`
	Mode      Mode          `json:"mode"`
	Keys      []string      `json:"keys"`   // thumbprints of the private keys that it holds
	Relays    []RelayState  `json:"relays"` // connected or not
	Domains   []DomainState `json:"domains"`
	Ready     bool          `json:"ready"`            // takes requests
	Reason    string        `json:"reason,omitempty"` // why not, for people
	Health    []Warning     `json:"health,omitempty"` // what is wrong; consequences too, see Causes
	Goodbye   bool          `json:"goodbye,omitempty"`
	IssuedAt  time.Time     `json:"issuedAt"`
}

// A RelayState is how an agent stands to one relay.
type RelayState struct {
	Host      string `json:"host"`
	Listening bool   `json:"listening"`
	Keys      string `json:"keys,omitempty"` // Relay.Thumbprint of the keys in use, none older
}

// A DomainState is how an agent stands to one domain.
type DomainState struct {
	Domain string `json:"domain"`
	DC     string `json:"dc,omitempty"` // dnsHostName of the one to write to; empty: none usable
	Detail string `json:"detail,omitempty"`
}

// Usable reports whether the agent could write to every domain that it names.
func (h Heartbeat) Usable() bool {
	for _, d := range h.Domains {
		if d.DC == "" {
			return false
		}
	}
	return len(h.Domains) > 0
}
