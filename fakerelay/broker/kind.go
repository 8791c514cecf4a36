package broker

// A Kind tells what a queue in the broker's sense is to its clients.
type Kind int

// The kinds. A topic takes messages in and keeps the scheduled ones only; nothing is received from it.
const (
	KindQueue Kind = iota
	KindTopic
	KindSubscription
	KindDeadLetters // of a queue or subscription; those of failed transfers too
)
