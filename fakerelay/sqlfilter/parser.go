package sqlfilter

import (
	"fmt"
	"slices"
	"strings"
)

// A Filter is a condition, parsed.
type Filter struct{ condition evaluation }

// ParseFilter reads a condition. Parameters are the values of its @names, which are given with or without the @ and
// ignore case.
func ParseFilter(text string, parameters map[string]any) (*Filter, error) {
	p, err := newParser(text, parameters)
	if err != nil {
		return nil, err
	}
	x, err := p.disjunction()
	if err != nil {
		return nil, err
	}
	if err := p.want(x, predicate); err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != end {
		return nil, p.unexpected("the end, AND or OR")
	}
	return &Filter{x.eval}, nil
}

// reserved words cannot be regular identifiers.
var reserved = []string{"AND", "OR", "NOT", "IN", "LIKE", "ESCAPE", "IS", "NULL", "EXISTS", "TRUE", "FALSE"}

func (t token) isReserved() bool { return slices.ContainsFunc(reserved, t.is) }

// parser descends recursively; the length of the text bounds how deep. Each method reads one level of precedence.
type parser struct {
	tokens     []token
	next       int
	parameters map[string]any // by lower-case name without @
}

// A class tells predicates, which are true, false or unknown, from expressions, which have a value.
type class int

const (
	expression class = iota
	predicate
)

var classNames = [...]string{"a value", "a condition"}

// A part is a piece of the text, ready to be evaluated.
type part struct {
	at    int
	class class
	eval  evaluation
}

func newParser(text string, parameters map[string]any) (*parser, error) {
	tokens, err := lex(text)
	if err != nil {
		return nil, err
	}
	p := &parser{tokens: tokens, parameters: make(map[string]any, len(parameters))}
	for name, value := range parameters {
		p.parameters[strings.ToLower(strings.TrimPrefix(name, "@"))] = value
	}
	return p, nil
}

func (p *parser) peek() token { return p.tokens[p.next] }

// take moves on; the last token, the end, stays.
func (p *parser) take() token {
	t := p.tokens[p.next]
	if t.kind != end {
		p.next++
	}
	return t
}

func (p *parser) takeWord(keyword string) bool {
	if p.peek().is(keyword) {
		p.next++
		return true
	}
	return false
}

func (p *parser) takeSymbol(s string) bool {
	if p.peek().isSymbol(s) {
		p.next++
		return true
	}
	return false
}

func (p *parser) unexpected(wanted string) error {
	t := p.peek()
	return &SyntaxError{t.at, fmt.Sprintf("there is %v where %s is expected", t, wanted)}
}

func (p *parser) need(s string) error {
	if !p.takeSymbol(s) {
		return p.unexpected(s)
	}
	return nil
}

func (p *parser) want(x part, c class) error {
	if x.class != c {
		return &SyntaxError{x.at, fmt.Sprintf("there is %s where %s is expected", classNames[x.class], classNames[c])}
	}
	return nil
}

// binary reads operands of a level, joined by operators of it.
func (p *parser) binary(operand func() (part, error), c class, operator func() (join, bool)) (part, error) {
	left, err := operand()
	if err != nil {
		return part{}, err
	}
	for {
		combine, ok := operator()
		if !ok {
			return left, nil
		}
		right, err := operand()
		if err != nil {
			return part{}, err
		}
		if err := p.want(left, c); err != nil {
			return part{}, err
		}
		if err := p.want(right, c); err != nil {
			return part{}, err
		}
		left = part{left.at, c, combine(left.eval, right.eval)}
	}
}

func (p *parser) disjunction() (part, error) {
	return p.binary(p.conjunction, predicate, func() (join, bool) { return or, p.takeWord("OR") })
}

func (p *parser) conjunction() (part, error) {
	return p.binary(p.negation, predicate, func() (join, bool) { return and, p.takeWord("AND") })
}

func (p *parser) negation() (part, error) {
	at := p.peek().at
	if !p.takeWord("NOT") {
		return p.comparison()
	}
	x, err := p.negation()
	if err != nil {
		return part{}, err
	}
	if err := p.want(x, predicate); err != nil {
		return part{}, err
	}
	return part{at, predicate, not(x.eval)}, nil
}

// comparison reads a predicate, or an expression alone.
func (p *parser) comparison() (part, error) {
	at := p.peek().at
	if p.takeWord("EXISTS") {
		return p.exists(at)
	}
	start := p.next
	left, err := p.sum()
	if err != nil || left.class == predicate {
		return left, err
	}
	negated := p.takeWord("NOT")
	var eval evaluation
	switch {
	case p.takeWord("IN"):
		eval, err = p.in(left)
	case p.takeWord("LIKE"):
		eval, err = p.like(left)
	case negated:
		return part{}, p.unexpected("IN or LIKE")
	case p.takeWord("IS"):
		return p.isNull(at, start)
	default:
		return p.relation(left)
	}
	if err != nil {
		return part{}, err
	}
	if negated {
		eval = not(eval)
	}
	return part{at, predicate, eval}, nil
}

func (p *parser) relation(left part) (part, error) {
	holds, known := relations[p.peek().text]
	if !known || p.peek().kind != symbol {
		return left, nil
	}
	p.next++
	right, err := p.sum()
	if err != nil {
		return part{}, err
	}
	if err := p.want(right, expression); err != nil {
		return part{}, err
	}
	return part{left.at, predicate, compared(left.eval, right.eval, holds)}, nil
}

func (p *parser) exists(at int) (part, error) {
	if err := p.need("("); err != nil {
		return part{}, err
	}
	of, err := p.property()
	if err != nil {
		return part{}, err
	}
	return part{at, predicate, of.exists}, p.need(")")
}

// isNull goes back to read the left side as what it must be: a property.
func (p *parser) isNull(at, start int) (part, error) {
	after := p.next
	p.next = start
	of, err := p.property()
	if err != nil {
		return part{}, err
	}
	if p.next != after-1 {
		return part{}, &SyntaxError{at, "only a property can be asked whether it IS NULL"}
	}
	p.next = after
	eval := of.isNull
	if p.takeWord("NOT") {
		eval = not(eval)
	}
	if !p.takeWord("NULL") {
		return part{}, p.unexpected("NULL")
	}
	return part{at, predicate, eval}, nil
}

func (p *parser) in(left part) (evaluation, error) {
	if err := p.need("("); err != nil {
		return nil, err
	}
	var list []evaluation
	for {
		x, err := p.value()
		if err != nil {
			return nil, err
		}
		list = append(list, x.eval)
		if !p.takeSymbol(",") {
			return in(left.eval, list), p.need(")")
		}
	}
}

// like refuses at once what no message could match: a malformed pattern, unless it depends on the message.
func (p *parser) like(left part) (evaluation, error) {
	start := p.next
	pattern, err := p.value()
	if err != nil {
		return nil, err
	}
	fixed := p.fixed(start)
	var escape part
	if p.takeWord("ESCAPE") {
		start = p.next
		if escape, err = p.value(); err != nil {
			return nil, err
		}
		fixed = fixed && p.fixed(start)
	}
	if fixed {
		if _, err := like(constant(""), pattern.eval, escape.eval)(nil); err != nil {
			return nil, &SyntaxError{pattern.at, err.Error()}
		}
	}
	return like(left.eval, pattern.eval, escape.eval), nil
}

// fixed reports whether what was read since start is one literal or parameter.
func (p *parser) fixed(start int) bool {
	kind := p.tokens[start].kind
	return p.next == start+1 && (kind == literal || kind == parameter)
}

// value reads an expression that must be one.
func (p *parser) value() (part, error) {
	x, err := p.sum()
	if err != nil {
		return part{}, err
	}
	return x, p.want(x, expression)
}

func (p *parser) sum() (part, error) { return p.arithmetic(p.product, "+", "-") }

func (p *parser) product() (part, error) { return p.arithmetic(p.signed, "*", "/", "%") }

func (p *parser) arithmetic(operand func() (part, error), operators ...string) (part, error) {
	return p.binary(operand, expression, func() (join, bool) {
		if t := p.peek(); t.kind != symbol || !slices.Contains(operators, t.text) {
			return nil, false
		}
		return calculated(p.take().text), true
	})
}

func (p *parser) signed() (part, error) {
	at := p.peek().at
	minus := p.peek().isSymbol("-")
	if !minus && !p.peek().isSymbol("+") {
		return p.primary()
	}
	p.next++
	x, err := p.signed()
	if err != nil {
		return part{}, err
	}
	return part{at, expression, signed(x.eval, minus)}, p.want(x, expression)
}

func (p *parser) primary() (part, error) {
	t := p.peek()
	switch {
	case t.kind == literal:
		p.next++
		return part{t.at, expression, constant(t.value)}, nil
	case t.kind == parameter:
		value, known := p.parameters[strings.ToLower(t.text)]
		if !known {
			return part{}, &SyntaxError{t.at, fmt.Sprintf("the parameter @%s has no value", t.text)}
		}
		p.next++
		return part{t.at, expression, constant(normal(value))}, nil
	case p.takeWord("TRUE"):
		return part{t.at, expression, constant(true)}, nil
	case p.takeWord("FALSE"):
		return part{t.at, expression, constant(false)}, nil
	case p.takeWord("NULL"):
		return part{t.at, expression, constant(nil)}, nil
	case p.takeSymbol("("):
		x, err := p.disjunction()
		if err != nil {
			return part{}, err
		}
		x.at = t.at
		return x, p.need(")")
	case t.kind == word && !t.isReserved() && p.tokens[p.next+1].isSymbol("("):
		return p.function()
	}
	of, err := p.property()
	return part{t.at, expression, of.value}, err
}

func (p *parser) function() (part, error) {
	name := p.take()
	p.next++ // the parenthesis
	f, known := functions[strings.ToLower(name.text)]
	if !known {
		return part{}, &SyntaxError{name.at, fmt.Sprintf("the function %s is not known: there are %s", name.text, strings.Join(Functions(), ", "))}
	}
	var argument part
	if f.takes {
		var err error
		if argument, err = p.value(); err != nil {
			return part{}, err
		}
	}
	return part{name.at, expression, f.of(argument.eval)}, p.need(")")
}

// property reads a name with or without its scope.
func (p *parser) property() (property, error) {
	first, err := p.identifier()
	if err != nil {
		return property{}, err
	}
	if first.kind != word || !p.takeSymbol(".") {
		return property{name: first.text}, nil
	}
	scope := strings.ToLower(first.text)
	if scope != scopeSystem && scope != scopeUser {
		return property{}, &SyntaxError{first.at, fmt.Sprintf("the scope %s is not known: there are sys and user", first.text)}
	}
	name, err := p.identifier()
	return property{system: scope == scopeSystem, name: name.text}, err
}

func (p *parser) identifier() (token, error) {
	t := p.peek()
	if t.kind != delimited && (t.kind != word || t.isReserved()) {
		return token{}, p.unexpected("the name of a property")
	}
	return p.take(), nil
}
