package targets

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"

	ber "github.com/go-asn1-ber/asn1-ber"

	"passback/clock"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// One agent's connection to the directory, message by message (RFC 4511 section 4.1.1). Of all operations only a modify
// that names the marker's attribute is looked into, and its result (4.6).

const (
	applicationModify         = 6
	applicationModifyResponse = 7
	maxLDAPMessage            = 1 << 20
)

type carrier struct {
	*between
	agent, directory net.Conn

	mu       sync.Mutex
	modifies map[int64]chan struct{} // on their way, by message id; closed when they are answered
}

func (c *carrier) cut() {
	_ = c.agent.Close()
	_ = c.directory.Close()
}

// run carries until either side ends. A modify that is on its way then is still answered by the directory: an agent
// that dies does not take it back.
func (c *carrier) run() {
	answers := make(chan struct{})
	go func() {
		defer close(answers)
		c.carryAnswers()
		_ = c.agent.Close()
	}()
	c.carryRequests()
	for _, answered := range c.onTheirWay() {
		within(answered)
	}
	_ = c.directory.Close()
	<-answers
}

// within waits until c is closed, as long as an LDAP operation may take.
func within(c <-chan struct{}) {
	late := make(chan struct{})
	timer := clock.Real().AfterFunc(ldapTimeout, func() { close(late) })
	defer timer.Stop()
	select {
	case <-c:
	case <-late:
	}
}

func (c *carrier) onTheirWay() (open []chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, answered := range c.modifies {
		open = append(open, answered)
	}
	return open
}

func (c *carrier) carryRequests() {
	in := bufio.NewReader(c.agent)
	for {
		raw, m, err := readMessage(in)
		if err != nil {
			return
		}
		if m.Children[1].Tag == applicationModify && namesMarker(m.Children[1]) {
			answered := c.expect(messageID(m))
			if trap := c.trapped(scenarios.BeforeModify); trap != nil {
				if trap.wait() == scenarios.Lose {
					c.answered(messageID(m))
					return
				}
				trap.landed = answered
				trap.sent()
			}
			c.count()
		}
		if _, err := c.directory.Write(raw); err != nil {
			return
		}
	}
}

func (c *carrier) carryAnswers() {
	in := bufio.NewReader(c.directory)
	for {
		raw, m, err := readMessage(in)
		if err != nil {
			return
		}
		if m.Children[1].Tag == applicationModifyResponse && c.answered(messageID(m)) && succeeded(m.Children[1]) {
			if trap := c.trapped(scenarios.AfterModify); trap != nil && trap.wait() == scenarios.Lose {
				return
			}
		}
		_, _ = c.agent.Write(raw) // an agent that has gone is not told, and the directory goes on
	}
}

// expect notes a modify, answered tells that its result came and whether it was noted.
func (c *carrier) expect(id int64) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	answered := make(chan struct{})
	c.modifies[id] = answered
	return answered
}

func (c *carrier) answered(id int64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	answered, noted := c.modifies[id]
	if noted {
		close(answered)
		delete(c.modifies, id)
	}
	return noted
}

// readMessage reads one LDAPMessage, as bytes and decoded.
func readMessage(in *bufio.Reader) ([]byte, *ber.Packet, error) {
	head, err := in.Peek(2)
	if err != nil {
		return nil, nil, err //nolint:wrapcheck // ends the connection, and is told to nobody
	}
	size, header := int(head[1]), 2
	if size >= 0x80 { // the long form: so many bytes of length
		header += size & 0x7f
		if head, err = in.Peek(header); err != nil || header > 6 {
			return nil, nil, fmt.Errorf("LDAP message of %d bytes of length: %w", header, err)
		}
		size = 0
		for _, b := range head[2:] {
			size = size<<8 | int(b)
		}
	}
	if size > maxLDAPMessage {
		return nil, nil, fmt.Errorf("LDAP message of %d bytes", size)
	}
	raw := make([]byte, header+size)
	if _, err := io.ReadFull(in, raw); err != nil {
		return nil, nil, err //nolint:wrapcheck // as above
	}
	m, err := ber.DecodePacketErr(raw)
	if err != nil || len(m.Children) < 2 {
		return nil, nil, fmt.Errorf("not an LDAP message: %w", err)
	}
	return raw, m, nil
}

func messageID(m *ber.Packet) int64 {
	id, _ := m.Children[0].Value.(int64)
	return id
}

// namesMarker reports whether one of a modify's changes is of the marker's attribute.
func namesMarker(modify *ber.Packet) bool {
	if len(modify.Children) < 2 {
		return false
	}
	for _, change := range modify.Children[1].Children {
		if len(change.Children) == 2 && len(change.Children[1].Children) > 0 &&
			strings.EqualFold(change.Children[1].Children[0].Data.String(), protocol.DefaultMarkerAttribute) {
			return true
		}
	}
	return false
}

func succeeded(result *ber.Packet) bool {
	if len(result.Children) == 0 {
		return false
	}
	code, ok := result.Children[0].Value.(int64)
	return ok && code == 0
}
