package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Label filters, as Ginkgo writes them: labels, !, &&, || or a comma, parentheses, and /regular expressions/. Labels
// are compared without regard to case. Left out on purpose: Ginkgo's set operations on keys.

// A Filter decides by labels.
type Filter func(labels []string) bool

// ParseFilter reads a label filter; an empty one takes everything.
func ParseFilter(text string) (Filter, error) {
	if strings.TrimSpace(text) == "" {
		return func([]string) bool { return true }, nil
	}
	p := &filterParser{text: text}
	f, err := p.anyOf()
	if err == nil && p.peek() != "" {
		err = fmt.Errorf("%q was not expected", p.peek())
	}
	if err != nil {
		return nil, fmt.Errorf("label filter %q: %w (such as 'Area:policy && !Slow')", text, err)
	}
	return f, nil
}

type filterParser struct {
	text string
	at   int
}

// peek returns the operator, the regular expression or the label that comes next; empty at the end.
func (p *filterParser) peek() string {
	rest := strings.TrimLeft(p.text[p.at:], " \t\n")
	p.at = len(p.text) - len(rest)
	for _, operator := range []string{"&&", "||", ",", "!", "(", ")"} {
		if strings.HasPrefix(rest, operator) {
			return operator
		}
	}
	if strings.HasPrefix(rest, "/") {
		if end := strings.Index(rest[1:], "/"); end >= 0 {
			return rest[:end+2]
		}
		return rest
	}
	if end := strings.IndexAny(rest, "&|,!()"); end >= 0 {
		rest = rest[:end]
	}
	return rest
}

func (p *filterParser) accept(operators ...string) bool {
	next := p.peek()
	if next == "" || !slices.Contains(operators, next) {
		return false
	}
	p.at += len(next)
	return true
}

func (p *filterParser) anyOf() (Filter, error) {
	left, err := p.allOf()
	for err == nil && p.accept("||", ",") {
		var right Filter
		before := left
		right, err = p.allOf()
		left = func(labels []string) bool { return before(labels) || right(labels) }
	}
	return left, err
}

func (p *filterParser) allOf() (Filter, error) {
	left, err := p.one()
	for err == nil && p.accept("&&") {
		var right Filter
		before := left
		right, err = p.one()
		left = func(labels []string) bool { return before(labels) && right(labels) }
	}
	return left, err
}

func (p *filterParser) one() (Filter, error) {
	if p.accept("!") {
		f, err := p.one()
		return func(labels []string) bool { return !f(labels) }, err
	}
	if p.accept("(") {
		f, err := p.anyOf()
		if err == nil && !p.accept(")") {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		return f, err
	}
	next := p.peek()
	p.at += len(next)
	label := strings.TrimSpace(next)
	switch {
	case label == "" || slices.Contains([]string{"&&", "||", ",", ")"}, label):
		return nil, fmt.Errorf("a label is missing")
	case strings.HasPrefix(label, "/"):
		return matching(label)
	}
	return func(labels []string) bool {
		return slices.ContainsFunc(labels, func(l string) bool { return strings.EqualFold(l, label) })
	}, nil
}

func matching(label string) (Filter, error) {
	if len(label) < 2 || !strings.HasSuffix(label, "/") {
		return nil, fmt.Errorf("the regular expression %s has no closing slash", label)
	}
	expression, err := regexp.Compile(label[1 : len(label)-1])
	if err != nil {
		return nil, fmt.Errorf("the regular expression %s: %w", label, err)
	}
	return func(labels []string) bool { return slices.ContainsFunc(labels, expression.MatchString) }, nil
}
