package broker

import "passback/fakerelay/sqlfilter"

// A Codec reads and writes what rules know of a message. Both are asked for messages on their way through a topic
// only.
type Codec struct {
	// Read decodes a message's properties; what it returns may be changed by the caller.
	Read func(Stored) (*sqlfilter.Message, error)
	// Write encodes a message anew, with properties that an action changed.
	Write func(Stored, *sqlfilter.Message) (Message, error)
}

func (c Codec) read(s Stored) (*sqlfilter.Message, error) {
	if c.Read == nil {
		return sqlfilter.NewMessage(), nil
	}
	return c.Read(s)
}

func (c Codec) write(s Stored, m *sqlfilter.Message) (Message, error) {
	if c.Write == nil {
		return s.Message, nil
	}
	return c.Write(s, m)
}
