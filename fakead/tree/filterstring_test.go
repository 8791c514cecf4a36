package tree_test

// Filters as the tests write them: strings of RFC 4515.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"passback/fakead/tree"
)

var errFilter = errors.New("not a search filter")

const (
	maxFilterDepth = 100
	maxFilterNodes = 20_000
)

// parseFilter reads a filter.
func parseFilter(s string) (*tree.Filter, error) {
	p := filterParser{rest: s}
	f, err := p.filter(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("%w: something follows its last parenthesis", errFilter)
	}
	return f, nil
}

type filterParser struct {
	rest  string
	nodes int
}

func (p *filterParser) space() { p.rest = strings.TrimLeft(p.rest, " \t\r\n") }

func (p *filterParser) take(prefix string) bool {
	rest, ok := strings.CutPrefix(p.rest, prefix)
	p.rest = rest
	return ok
}

func (p *filterParser) filter(depth int) (*tree.Filter, error) {
	if p.nodes++; depth > maxFilterDepth || p.nodes > maxFilterNodes {
		return nil, fmt.Errorf("%w: more than %d levels or %d clauses", errFilter, maxFilterDepth, maxFilterNodes)
	}
	p.space()
	if !p.take("(") {
		return nil, fmt.Errorf("%w: an opening parenthesis is missing", errFilter)
	}
	p.space()
	f, err := p.component(depth)
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, fmt.Errorf("%w: a closing parenthesis is missing", errFilter)
	}
	return f, nil
}

func (p *filterParser) component(depth int) (*tree.Filter, error) {
	switch {
	case p.take("&"):
		return p.list(tree.FilterAnd, depth)
	case p.take("|"):
		return p.list(tree.FilterOr, depth)
	case p.take("!"):
		inner, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		p.space()
		return &tree.Filter{Kind: tree.FilterNot, Children: []*tree.Filter{inner}}, nil
	default:
		return p.item()
	}
}

// list reads the clauses of an and or an or; none at all is true or false (RFC 4526).
func (p *filterParser) list(kind tree.FilterKind, depth int) (*tree.Filter, error) {
	f := &tree.Filter{Kind: kind}
	for p.space(); strings.HasPrefix(p.rest, "("); p.space() {
		child, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		f.Children = append(f.Children, child)
	}
	return f, nil
}

func (p *filterParser) item() (*tree.Filter, error) {
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return nil, fmt.Errorf("%w: a closing parenthesis is missing", errFilter)
	}
	item := p.rest[:end]
	p.rest = p.rest[end:]
	name, value, ok := strings.Cut(item, "=")
	if !ok || strings.Contains(value, "(") {
		return nil, fmt.Errorf("%w: a clause is attribute, operator and value", errFilter)
	}
	f := &tree.Filter{Kind: tree.FilterEqual, Attribute: name}
	for operator, kind := range map[string]tree.FilterKind{"~": tree.FilterEqual, ">": tree.FilterGreaterOrEqual, "<": tree.FilterLessOrEqual, ":": tree.FilterExtensible} {
		if before, ok := strings.CutSuffix(name, operator); ok {
			f.Attribute, f.Kind = before, kind
			return finishFilter(f, value, false)
		}
	}
	return finishFilter(f, value, true)
}

// finish reads the value, in which an unescaped asterisk matters only after a bare =.
func finishFilter(f *tree.Filter, value string, wildcards bool) (*tree.Filter, error) {
	if f.Kind == tree.FilterExtensible {
		if err := extensible(f); err != nil {
			return nil, err
		}
	}
	f.Attribute = strings.TrimSpace(f.Attribute)
	if f.Attribute == "" && f.Kind != tree.FilterExtensible {
		return nil, fmt.Errorf("%w: a clause names no attribute", errFilter)
	}
	if wildcards && value == "*" {
		f.Kind = tree.FilterPresent
		return f, nil
	}
	pieces := []string{value}
	if wildcards {
		pieces = strings.Split(value, "*")
	}
	for _, piece := range pieces {
		part, err := unescapeFilterValue(piece)
		if err != nil {
			return nil, err
		}
		f.Parts = append(f.Parts, part)
	}
	if len(f.Parts) > 1 {
		f.Kind = tree.FilterSubstrings
		return f, nil
	}
	f.Value, f.Parts = f.Parts[0], nil
	return f, nil
}

// extensible splits attribute[:dn][:rule]. Matching the DN's components too is not something a domain
// controller does, so :dn is read and dropped.
func extensible(f *tree.Filter) error {
	parts := strings.Split(f.Attribute, ":")
	f.Attribute = parts[0]
	rest := parts[1:]
	if len(rest) > 0 && strings.EqualFold(rest[0], "dn") {
		rest = rest[1:]
	}
	if len(rest) > 0 {
		f.Rule = rest[0]
		rest = rest[1:]
	}
	if len(rest) > 0 || f.Attribute == "" && f.Rule == "" {
		return fmt.Errorf("%w: an extensible match is attribute:dn:rule:=value", errFilter)
	}
	return nil
}

func unescapeFilterValue(s string) ([]byte, error) {
	value := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' {
			value = append(value, s[i])
			continue
		}
		if i+2 >= len(s) {
			return nil, fmt.Errorf("%w: two hexadecimal digits follow a backslash", errFilter)
		}
		b, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return nil, fmt.Errorf("%w: two hexadecimal digits follow a backslash", errFilter)
		}
		value = append(value, b[0])
		i += 2
	}
	return value, nil
}
