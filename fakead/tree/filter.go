package tree

// Search filters as strings (RFC 4515), parsed into a tree of their own. Limits: maxFilterDepth levels,
// maxFilterNodes clauses.

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// ErrFilter is wrapped by every error of ParseFilter.
var ErrFilter = errors.New("not a search filter")

const (
	maxFilterDepth = 100
	maxFilterNodes = 20_000
)

type filterKind int

const (
	filterAnd filterKind = iota
	filterOr
	filterNot
	filterPresent
	filterEqual // also approximate, which a domain controller takes for the same
	filterSubstrings
	filterGreaterOrEqual
	filterLessOrEqual
	filterExtensible
)

// A Filter is one clause of a search filter, with those below it.
type Filter struct {
	kind      filterKind
	children  []*Filter
	attribute string   // as written; empty in an extensible match by rule alone
	rule      string   // OID of an extensible match's rule
	value     []byte   // unescaped
	parts     [][]byte // of a substring match: initial, any..., final; the first and last may be empty
}

// ParseFilter reads a filter.
func ParseFilter(s string) (*Filter, error) {
	p := filterParser{rest: s}
	f, err := p.filter(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, fmt.Errorf("%w: something follows its last parenthesis", ErrFilter)
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

func (p *filterParser) filter(depth int) (*Filter, error) {
	if p.nodes++; depth > maxFilterDepth || p.nodes > maxFilterNodes {
		return nil, fmt.Errorf("%w: more than %d levels or %d clauses", ErrFilter, maxFilterDepth, maxFilterNodes)
	}
	p.space()
	if !p.take("(") {
		return nil, fmt.Errorf("%w: an opening parenthesis is missing", ErrFilter)
	}
	p.space()
	f, err := p.component(depth)
	if err != nil {
		return nil, err
	}
	if !p.take(")") {
		return nil, fmt.Errorf("%w: a closing parenthesis is missing", ErrFilter)
	}
	return f, nil
}

func (p *filterParser) component(depth int) (*Filter, error) {
	switch {
	case p.take("&"):
		return p.list(filterAnd, depth)
	case p.take("|"):
		return p.list(filterOr, depth)
	case p.take("!"):
		inner, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		p.space()
		return &Filter{kind: filterNot, children: []*Filter{inner}}, nil
	default:
		return p.item()
	}
}

// list reads the clauses of an and or an or; none at all is true or false (RFC 4526).
func (p *filterParser) list(kind filterKind, depth int) (*Filter, error) {
	f := &Filter{kind: kind}
	for p.space(); strings.HasPrefix(p.rest, "("); p.space() {
		child, err := p.filter(depth + 1)
		if err != nil {
			return nil, err
		}
		f.children = append(f.children, child)
	}
	return f, nil
}

func (p *filterParser) item() (*Filter, error) {
	end := strings.IndexByte(p.rest, ')')
	if end < 0 {
		return nil, fmt.Errorf("%w: a closing parenthesis is missing", ErrFilter)
	}
	item := p.rest[:end]
	p.rest = p.rest[end:]
	name, value, ok := strings.Cut(item, "=")
	if !ok || strings.Contains(value, "(") {
		return nil, fmt.Errorf("%w: a clause is attribute, operator and value", ErrFilter)
	}
	f := &Filter{kind: filterEqual, attribute: name}
	for operator, kind := range map[string]filterKind{"~": filterEqual, ">": filterGreaterOrEqual, "<": filterLessOrEqual, ":": filterExtensible} {
		if before, ok := strings.CutSuffix(name, operator); ok {
			f.attribute, f.kind = before, kind
			return f.finish(value, false)
		}
	}
	return f.finish(value, true)
}

// finish reads the value, in which an unescaped asterisk matters only after a bare =.
func (f *Filter) finish(value string, wildcards bool) (*Filter, error) {
	if f.kind == filterExtensible {
		if err := f.extensible(); err != nil {
			return nil, err
		}
	}
	f.attribute = strings.TrimSpace(f.attribute)
	if f.attribute == "" && f.kind != filterExtensible {
		return nil, fmt.Errorf("%w: a clause names no attribute", ErrFilter)
	}
	if wildcards && value == "*" {
		f.kind = filterPresent
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
		f.parts = append(f.parts, part)
	}
	if len(f.parts) > 1 {
		f.kind = filterSubstrings
		return f, nil
	}
	f.value, f.parts = f.parts[0], nil
	return f, nil
}

// extensible splits attribute[:dn][:rule]. Matching the DN's components too is not something a domain
// controller does, so :dn is read and dropped.
func (f *Filter) extensible() error {
	parts := strings.Split(f.attribute, ":")
	f.attribute = parts[0]
	rest := parts[1:]
	if len(rest) > 0 && strings.EqualFold(rest[0], "dn") {
		rest = rest[1:]
	}
	if len(rest) > 0 {
		f.rule = rest[0]
		rest = rest[1:]
	}
	if len(rest) > 0 || f.attribute == "" && f.rule == "" {
		return fmt.Errorf("%w: an extensible match is attribute:dn:rule:=value", ErrFilter)
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
			return nil, fmt.Errorf("%w: two hexadecimal digits follow a backslash", ErrFilter)
		}
		b, err := hex.DecodeString(s[i+1 : i+3])
		if err != nil {
			return nil, fmt.Errorf("%w: two hexadecimal digits follow a backslash", ErrFilter)
		}
		value = append(value, b[0])
		i += 2
	}
	return value, nil
}
