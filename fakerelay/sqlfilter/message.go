package sqlfilter

import "strings"

// A Message is what filters and actions see of a message: its properties.
type Message struct {
	System map[string]any // by lower-case name; every one that exists has an entry, nil where it is not set
	User   map[string]any // of the application; names are looked up regardless of case
}

// NewMessage is a message without any property.
func NewMessage() *Message {
	return &Message{System: make(map[string]any), User: make(map[string]any)}
}

// UserProperty finds a property of the application: of this very name, else of one that differs in case only.
func (m *Message) UserProperty(name string) (value any, known bool) {
	key, known := m.userKey(name)
	return m.User[key], known
}

func (m *Message) userKey(name string) (key string, known bool) {
	if _, known := m.User[name]; known {
		return name, true
	}
	for key := range m.User {
		if strings.EqualFold(key, name) {
			return key, true
		}
	}
	return name, false
}
