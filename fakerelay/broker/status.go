package broker

import "fmt"

// A Status tells what an entity takes part in.
type Status int

// The statuses. A topic is never ReceiveDisabled.
const (
	StatusActive Status = iota
	StatusDisabled
	StatusSendDisabled
	StatusReceiveDisabled
)

var statusNames = [...]string{"Active", "Disabled", "SendDisabled", "ReceiveDisabled"}

// ParseStatus reads the service's name of a status.
func ParseStatus(name string) (Status, error) {
	for s, known := range statusNames {
		if name == known {
			return Status(s), nil
		}
	}
	return StatusActive, fmt.Errorf("status %q: must be Active, Disabled, SendDisabled or ReceiveDisabled", name)
}

// String is the service's name.
func (s Status) String() string {
	if !s.known() {
		return fmt.Sprintf("Status(%d)", int(s))
	}
	return statusNames[s]
}

func (s Status) known() bool { return s >= 0 && int(s) < len(statusNames) }

func (s Status) sends() bool { return s == StatusActive || s == StatusReceiveDisabled }

func (s Status) receives() bool { return s == StatusActive || s == StatusSendDisabled }

// Sendable refuses as Send would, whatever the message: ErrDisabled, ErrDeleted.
func (q *Queue) Sendable() error {
	if err := q.enterToSend(); err != nil {
		return err
	}
	q.leave()
	return nil
}

// Receivable refuses as Receive would: ErrDisabled, ErrForwards, ErrDeleted.
func (q *Queue) Receivable() error {
	if err := q.enterToReceive(); err != nil {
		return err
	}
	q.leave()
	return nil
}
