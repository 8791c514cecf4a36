package fakerelay

import (
	"net/http"
	"time"

	"passback/fakerelay/amqp"
)

// An Action is what a hook wants done about an event. Where an event leaves no room for it, it passes: what is
// delivered cannot be refused, and what has no lock cannot lose it.
type Action struct {
	verb   verb
	until  <-chan struct{} // of hold
	answer refusal         // of refuse, throttle and detach; of refuseStatus its status and text
	passed func()          // called once the step has been taken

	retryAfter time.Duration // of throttle and refuseStatus, over HTTP; 0: the client is not told
}

type verb int

const (
	pass verb = iota
	drop
	disconnect
	hold
	detach
	duplicate
	loseLock
	refuse
	refuseStatus
	throttle
	corrupt
)

var (
	// Pass lets the event take its course. It is the zero Action.
	Pass = Action{}
	// Drop swallows it: what has not happened does not, and the client is not told.
	Drop = Action{verb: drop}
	// Disconnect closes the client's connection without a word. What has not happened does not.
	Disconnect = Action{verb: disconnect}
	// Duplicate has a message enqueued, or transferred, twice.
	Duplicate = Action{verb: duplicate}
	// LoseLock ends the lock on the message, or on its session, as if it had expired; then the event takes its course.
	LoseLock = Action{verb: loseLock}
	// Corrupt spoils the next frame that the client gets; the event takes its course.
	Corrupt = Action{verb: corrupt}
	// ForceDetach detaches the link with amqp:link:detach-forced. What has not happened does not.
	ForceDetach = Action{verb: detach}
	// Throttle refuses it as the service does when it is busy: over HTTP with 429.
	Throttle = Action{verb: throttle, answer: refusalByCondition(condServerBusy, textThrottled)}
)

// Hold lets the event take its course when until is closed. If the connection or the link ends before that, it is
// dropped. Other messages of the connection pass meanwhile.
func Hold(until <-chan struct{}) Action { return Action{verb: hold, until: until} }

// Refuse answers with an error: a condition, such as amqp:internal-error, and its description; over HTTP with the
// condition's status. What has not happened does not; what has is told as if it had not.
func Refuse(condition, description string) Action {
	return Action{verb: refuse, answer: refusalByCondition(amqp.Symbol(condition), description)}
}

// RefuseHTTP is Refuse for an Administer: a status of 400 to 599 (any other: 500), a text (default: one that fits the
// status), and what the header Retry-After says, in whole seconds (0: it is not sent). Any other event passes.
func RefuseHTTP(status int, text string, retryAfter time.Duration) Action {
	if status < 400 || status > 599 {
		status = http.StatusInternalServerError
	}
	return Action{verb: refuseStatus, answer: refusal{status: int32(status), text: text}, retryAfter: retryAfter}
}

// Texts of what is done to order. The service says them of errors of its own.
const (
	textThrottled    = "The request was terminated because the entity is being throttled. Error code: 50009. Please wait 2 seconds and try again."
	textServerError  = "The service was unable to process the request; please retry the operation."
	textForcedDetach = "The link is force detached. Code: ServerError. Details: %s"
)
