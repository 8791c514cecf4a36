package broker

import "passback/fakerelay/sqlfilter"

// A Correlation is a set of conditions that are all to be met: each field that is not empty, and each property,
// equals the message's, case and type included.
type Correlation struct {
	ContentType      string
	CorrelationID    string
	Label            string // the SDKs' Subject
	MessageID        string
	ReplyTo          string
	ReplyToSessionID string
	SessionID        string
	To               string
	Properties       map[string]any // of the application
}

// fields pairs the conditions with the system properties that they are for.
func (c Correlation) fields() map[string]string {
	return map[string]string{
		"contenttype": c.ContentType, "correlationid": c.CorrelationID, "label": c.Label, "messageid": c.MessageID,
		"replyto": c.ReplyTo, "replytosessionid": c.ReplyToSessionID, "sessionid": c.SessionID, "to": c.To,
	}
}

func (c Correlation) empty() bool {
	for _, want := range c.fields() {
		if want != "" {
			return false
		}
	}
	return len(c.Properties) == 0
}

func (c Correlation) matches(m *sqlfilter.Message) bool {
	for name, want := range c.fields() {
		if want != "" && m.System[name] != any(want) {
			return false
		}
	}
	for name, want := range c.Properties {
		if have, known := m.UserProperty(name); !known || !sqlfilter.Equal(have, want) {
			return false
		}
	}
	return true
}
