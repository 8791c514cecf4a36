package fakead

// The security log of a domain controller: the events of account management and of failed logons that Windows
// writes (Advanced Audit Policy; Microsoft's documentation of each event), with the names of their EventData. They
// tell of what came over LDAP; what a test does from Go leaves no trace. Left out on purpose: successful logons, those by certificate,
// events of groups and computers, and those that only say another one once more (4776, 4771).

import (
	"encoding/json"
	"time"
)

// maxEvents are kept in memory; the oldest make room. Options.Audit gets every one.
const maxEvents = 10_000

// The events, by their numbers.
const (
	EventLogonFailed     = 4625
	EventPasswordChange  = 4723 // an attempt, by its owner or with the old password
	EventPasswordReset   = 4724 // an attempt
	EventAccountChanged  = 4738
	EventAccountLocked   = 4740
	EventAccountUnlocked = 4767
)

// An Event is one entry of the security log.
type Event struct {
	ID      int
	Record  int64 // EventRecordID, from 1
	Time    time.Time
	Success bool              // Audit Success; else Audit Failure
	Data    map[string]string // EventData, by Windows' names: TargetUserName, SubjectUserName, Status ...
	// Computer is the DNS name of the domain controller.
	Computer string
}

// MarshalJSON writes an event with the names that Windows gives the parts of an event.
func (e Event) MarshalJSON() ([]byte, error) {
	keywords := "Audit Failure"
	if e.Success {
		keywords = "Audit Success"
	}
	return json.Marshal(struct { //nolint:wrapcheck // it cannot fail
		TimeCreated   time.Time
		EventID       int
		EventRecordID int64
		Provider      string
		Channel       string
		Computer      string
		Keywords      string
		EventData     map[string]string
	}{e.Time.UTC(), e.ID, e.Record, "Microsoft-Windows-Security-Auditing", "Security", e.Computer, keywords, e.Data})
}

// Events returns the security log, oldest first: the last 10000 entries.
func (s *Server) Events() []Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events.all()
}

// audit records an event, and writes it to Options.Audit as a line of JSON.
func (s *Server) audit(id int, success bool, data map[string]string) {
	s.eventsSoFar++
	e := Event{ID: id, Record: s.eventsSoFar, Time: s.clock.Now(), Success: success, Data: data, Computer: s.HostName()}
	s.events.add(e)
	if s.auditTo == nil {
		return
	}
	line, err := json.Marshal(e)
	if err == nil {
		_, err = s.auditTo.Write(append(line, '\n'))
	}
	if err != nil {
		s.log.Error("an event could not be written", "event", id, "record", e.Record, "error", err)
	}
}
