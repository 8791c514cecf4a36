package sqlfilter

import (
	"fmt"
	"math"
	"strings"
)

// MaxStatements is how many an action may have.
const MaxStatements = 32

// An Action is a list of SET and REMOVE statements, parsed.
type Action struct{ statements []statement }

// A statement sets a property, or removes it if it has no value.
type statement struct {
	of    property
	value evaluation // nil: REMOVE
}

// ParseAction reads statements, which may be separated by a semicolon or a comma. Parameters are as ParseFilter's.
func ParseAction(text string, parameters map[string]any) (*Action, error) {
	p, err := newParser(text, parameters)
	if err != nil {
		return nil, err
	}
	a := &Action{}
	for p.peek().kind != end || len(a.statements) == 0 {
		if len(a.statements) == MaxStatements {
			return nil, &SyntaxError{p.peek().at, fmt.Sprintf("an action has %d statements at most", MaxStatements)}
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		a.statements = append(a.statements, s)
		for p.takeSymbol(";") || p.takeSymbol(",") {
		}
	}
	return a, nil
}

func (p *parser) statement() (s statement, err error) {
	switch {
	case p.takeWord("REMOVE"):
		s.of, err = p.property()
		return s, err
	case !p.takeWord("SET"):
		return s, p.unexpected("SET or REMOVE")
	}
	if s.of, err = p.property(); err != nil {
		return s, err
	}
	if err := p.need("="); err != nil {
		return s, err
	}
	x, err := p.value()
	s.value = x.eval
	return s, err
}

// Apply changes a message, one statement after the other. After an error it is changed in part.
func (a *Action) Apply(m *Message) error {
	for _, s := range a.statements {
		old, _, err := s.of.find(m)
		if err != nil {
			return err
		}
		if s.value == nil {
			s.of.remove(m)
			continue
		}
		v, err := s.value(m)
		if err != nil {
			return err
		}
		s.of.set(m, conform(v, old))
	}
	return nil
}

func (p property) set(m *Message, v any) {
	if p.system {
		m.System[strings.ToLower(p.name)] = v
		return
	}
	key, _ := m.userKey(p.name)
	m.User[key] = v
}

func (p property) remove(m *Message) {
	if p.system {
		m.System[strings.ToLower(p.name)] = nil
		return
	}
	key, _ := m.userKey(p.name)
	delete(m.User, key)
}

// conform gives a number the type that the property had, where it fits.
func conform(v, old any) any {
	if f, ok := v.(float64); ok {
		if _, ok := old.(float32); ok {
			return float32(f)
		}
		return v
	}
	n, ok := v.(int64)
	if !ok {
		return v
	}
	for _, as := range wholeTypes {
		if fmt.Sprintf("%T", old) == as.name && n >= as.least && (n < 0 || uint64(n) <= as.most) {
			return as.of(n)
		}
	}
	return v
}

var wholeTypes = []struct {
	name  string
	least int64
	most  uint64
	of    func(int64) any
}{
	{"int8", math.MinInt8, math.MaxInt8, func(n int64) any { return int8(n) }},
	{"int16", math.MinInt16, math.MaxInt16, func(n int64) any { return int16(n) }},
	{"int32", math.MinInt32, math.MaxInt32, func(n int64) any { return int32(n) }},
	{"uint8", 0, math.MaxUint8, func(n int64) any { return uint8(n) }},
	{"uint16", 0, math.MaxUint16, func(n int64) any { return uint16(n) }},
	{"uint32", 0, math.MaxUint32, func(n int64) any { return uint32(n) }},
	{"uint64", 0, math.MaxUint64, func(n int64) any { return uint64(n) }},
	{"float32", math.MinInt64, math.MaxInt64, func(n int64) any { return float32(n) }},
	{"float64", math.MinInt64, math.MaxInt64, func(n int64) any { return float64(n) }},
}
