package sqlfilter

import (
	"fmt"
	"strings"
)

// An evaluation gives the value of a part for a message: nil for null and for unknown, which operators treat alike;
// a bool for a predicate; else one of the types that normal makes.
type evaluation func(*Message) (any, error)

// A join makes one evaluation of two.
type join func(left, right evaluation) evaluation

// Matches reports whether the condition is true for a message. An error says why it could not be evaluated.
func (f *Filter) Matches(m *Message) (bool, error) {
	v, err := f.condition(m)
	return v == true, err
}

const (
	scopeSystem = "sys"
	scopeUser   = "user"
)

// A property is one of a message's, by its name.
type property struct {
	system bool
	name   string
}

// find gives the value as it is. A system property that no message has is an error.
func (p property) find(m *Message) (value any, known bool, err error) {
	if !p.system {
		value, known = m.UserProperty(p.name)
		return value, known, nil
	}
	value, known = m.System[strings.ToLower(p.name)]
	if !known {
		return nil, false, fmt.Errorf("messages have no system property %s", p.name)
	}
	return value, value != nil, nil
}

func (p property) value(m *Message) (any, error) {
	v, _, err := p.find(m)
	return normal(v), err
}

func (p property) exists(m *Message) (any, error) {
	_, known, err := p.find(m)
	return known, err
}

func (p property) isNull(m *Message) (any, error) {
	v, _, err := p.find(m)
	return v == nil, err
}

func constant(v any) evaluation {
	return func(*Message) (any, error) { return v, nil }
}

// and stops at the first false, or at the first right side of it.
func and(left, right evaluation) evaluation { return logical(left, right, false) }

func or(left, right evaluation) evaluation { return logical(left, right, true) }

// logical is decided by either side being decisive, else unknown if either is.
func logical(left, right evaluation, decisive bool) evaluation {
	return func(m *Message) (any, error) {
		l, err := left(m)
		if err != nil || l == decisive {
			return l, err
		}
		r, err := right(m)
		if err != nil || r == decisive {
			return r, err
		}
		if l == nil || r == nil {
			return nil, nil
		}
		return !decisive, nil
	}
}

func not(x evaluation) evaluation {
	return func(m *Message) (any, error) {
		v, err := x(m)
		if b, known := v.(bool); known && err == nil {
			return !b, nil
		}
		return nil, err
	}
}

// relations say what each operator makes of an order.
var relations = map[string]func(order int) bool{
	"=":  func(o int) bool { return o == 0 },
	"<>": func(o int) bool { return o != 0 },
	"!=": func(o int) bool { return o != 0 },
	">":  func(o int) bool { return o > 0 },
	">=": func(o int) bool { return o >= 0 },
	"<":  func(o int) bool { return o < 0 },
	"<=": func(o int) bool { return o <= 0 },
}

func compared(left, right evaluation, holds func(int) bool) evaluation {
	ordered := holds(-1) != holds(1) // else it asks for equality only
	return func(m *Message) (any, error) {
		l, r, err := both(m, left, right)
		if l == nil || r == nil || err != nil {
			return nil, err
		}
		order, err := order(l, r, ordered)
		if err != nil {
			return nil, err
		}
		return holds(order), nil
	}
}

// both evaluates two operands.
func both(m *Message, left, right evaluation) (l, r any, err error) {
	if l, err = left(m); err != nil {
		return nil, nil, err
	}
	r, err = right(m)
	return l, r, err
}

// in is unknown if the left side is, or if it equals none and one of the list is unknown.
func in(left evaluation, list []evaluation) evaluation {
	return func(m *Message) (any, error) {
		l, err := left(m)
		if l == nil || err != nil {
			return nil, err
		}
		var result any = false
		for _, each := range list {
			r, err := each(m)
			if err != nil {
				return nil, err
			}
			if r == nil {
				result = nil
				continue
			}
			order, err := order(l, r, false)
			if err != nil {
				return nil, err
			}
			if order == 0 {
				return true, nil
			}
		}
		return result, nil
	}
}

// like takes nil for no escape character.
func like(left, pattern, escape evaluation) evaluation {
	if escape == nil {
		escape = constant("")
	}
	return func(m *Message) (any, error) {
		var texts [3]string
		for i, each := range []evaluation{left, pattern, escape} {
			v, err := each(m)
			if v == nil || err != nil {
				return nil, err
			}
			text, ok := v.(string)
			if !ok {
				return nil, fmt.Errorf("LIKE takes strings, not %s", typeName(v))
			}
			texts[i] = text
		}
		p, err := parsePattern(texts[1], texts[2])
		if err != nil {
			return nil, err
		}
		return p.matches([]rune(texts[0])), nil
	}
}

func calculated(operator string) join {
	return func(left, right evaluation) evaluation {
		return func(m *Message) (any, error) {
			l, r, err := both(m, left, right)
			if l == nil || r == nil || err != nil {
				return nil, err
			}
			return calculate(operator, l, r)
		}
	}
}

func signed(x evaluation, minus bool) evaluation {
	return func(m *Message) (any, error) {
		v, err := x(m)
		if v == nil || err != nil {
			return nil, err
		}
		if !minus {
			return calculate("-", v, zeroOf(v))
		}
		return calculate("-", zeroOf(v), v)
	}
}
