// Package protocol is the contract between the cloud and the on-premises agent: the messages, how they are
// sealed, what their outcomes are, and how an agent enrols. Both sides import it, so that neither can hold
// another opinion; nothing here opens a socket.
//
// A Request travels as one Message on QueueRequests and is decided once; its Answer comes back on
// QueueAnswers, in the session that the request names; agents send a Heartbeat on QueueStatus. Everything
// but the ids that routing needs is sealed twice (seal.go, inner.go). The wire is JOSE (RFC 7515 to 7518)
// over JSON, so that an agent or a cloud in another language can be written from testdata alone.
package protocol

import (
	"crypto/sha256"
	"encoding/base64"
	"time"
)

// The queues of a tenant's namespace. Requests are competed for by agents; answers have sessions, one for
// each front end of the cloud.
const (
	QueueRequests = "writeback-requests"
	QueueAnswers  = "writeback-answers"
	QueueStatus   = "writeback-status"
)

// What the queues are made with, on both sides of the contract.
const (
	LockDuration     = 30 * time.Second // renewed by the agent while it works
	MaxDeliveryCount = 3
	DuplicateWindow  = 10 * time.Minute // of QueueRequests, by MessageID, which is the tracking id
	AnswerTTL        = 2 * time.Minute
	StatusTTL        = 15 * time.Minute
)

// Times that both sides count on.
const (
	DefaultDeadline   = 60 * time.Second // of a request, after its issued-at
	MaxDeadline       = 2 * time.Minute
	HeartbeatInterval = 5 * time.Minute // two missed ones end an agent's being alive
	FirstBeatDelay    = 2 * time.Minute // from the first beat as active to the first request, unless alone
	RenewInterval     = 24 * time.Hour  // of an enrolment
	MaxClockSkew      = 5 * time.Second // beyond it an agent takes no requests
	MarkerLifetime    = time.Hour       // a marker value whose id is older is removed
	SupersedeWindow   = time.Hour       // a request names that user's unknown ones of so long ago at most
)

// Limits on what the wire may hold.
const (
	MaxMessage    = 16 << 10 // bytes of a sealed message
	MaxEnrolment  = 64 << 10 // bytes of an enrolment request or response
	MaxRecipients = 8        // enrolled active agents; a ninth enrols as staging
	MaxSupersedes = 60       // ids that one request may name
	MaxPassword   = 256      // UTF-16 units, Active Directory's own
	MaxText       = 1024     // bytes of any other string
)

// A Message is what a relay carries: a sealed body and the ids that route it. Each id repeats a sealed one and
// is compared with it when the body is opened.
type Message struct {
	Body          []byte
	ID            string        // MessageID: the tracking id of a request, an id of its own for an answer or a heartbeat
	CorrelationID string        // of an answer: the request's tracking id
	SessionID     string        // of an answer: the session that the request named
	ReplySession  string        // ReplyToSessionID, of a request
	TTL           time.Duration // how long the relay keeps it
}

// ContentType of every sealed message.
const ContentType = "application/jose"

// Hash is the SHA-256 of the body, base64url without padding: what an answer repeats of its request.
func (m Message) Hash() string {
	sum := sha256.Sum256(m.Body)
	return base64.RawURLEncoding.EncodeToString(sum[:])
}
