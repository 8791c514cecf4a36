package sqlfilter

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxLength is how many characters an expression may have.
const MaxLength = 1024

// A SyntaxError says where an expression cannot be understood, and why.
type SyntaxError struct {
	At     int // character, from 1
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("at character %d: %s", e.At, e.Reason) }

// kind of a token.
type kind int

const (
	end       kind = iota
	word           // a regular identifier, or a keyword
	delimited      // an identifier in brackets or double quotes
	literal        // a string or a number
	parameter      // @name
	symbol         // an operator or punctuation
)

type token struct {
	kind  kind
	at    int    // character, from 1
	text  string // of a word, an identifier, a parameter (without @), a symbol
	value any    // of a literal: string, int64 or float64
}

// is reports whether the token is this keyword; they ignore case.
func (t token) is(keyword string) bool { return t.kind == word && strings.EqualFold(t.text, keyword) }

func (t token) isSymbol(s string) bool { return t.kind == symbol && t.text == s }

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end"
	case literal:
		return fmt.Sprint(t.value)
	case word, delimited, parameter, symbol:
	}
	return t.text
}

// lexer cuts an expression into tokens.
type lexer struct {
	runes []rune
	at    int // index of the next rune
}

func lex(text string) ([]token, error) {
	switch {
	case !utf8.ValidString(text):
		return nil, &SyntaxError{1, "the expression is not UTF-8"}
	case utf8.RuneCountInString(text) > MaxLength:
		return nil, &SyntaxError{MaxLength + 1, fmt.Sprintf("the expression has more than %d characters", MaxLength)}
	}
	l := &lexer{runes: []rune(text)}
	var tokens []token
	for {
		t, err := l.next()
		if err != nil {
			return nil, err
		}
		tokens = append(tokens, t)
		if t.kind == end {
			return tokens, nil
		}
	}
}

// symbols of two characters come first.
var symbols = []string{"<>", "!=", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "(", ")", ",", ".", ";"}

func (l *lexer) next() (token, error) {
	for l.at < len(l.runes) && unicode.IsSpace(l.runes[l.at]) {
		l.at++
	}
	t := token{at: l.at + 1}
	if l.at == len(l.runes) {
		return t, nil
	}
	var err error
	switch c := l.runes[l.at]; {
	case unicode.IsLetter(c):
		t.kind, t.text = word, l.word()
	case isDigit(c):
		t.kind = literal
		t.value, err = l.number()
	case c == '\'':
		t.kind = literal
		t.value, err = l.enclosed('\'')
	case c == '"':
		t.kind = delimited
		t.text, err = l.enclosed('"')
	case c == '[':
		t.kind = delimited
		t.text, err = l.enclosed(']')
	case c == '@':
		l.at++
		t.kind, t.text = parameter, l.word()
	default:
		t.kind = symbol
		t.text, err = l.symbol()
	}
	return t, err
}

func isDigit(c rune) bool { return c >= '0' && c <= '9' }

func (l *lexer) fail(reason string, args ...any) error {
	return &SyntaxError{l.at + 1, fmt.Sprintf(reason, args...)}
}

func (l *lexer) take(more func(rune) bool) string {
	start := l.at
	for l.at < len(l.runes) && more(l.runes[l.at]) {
		l.at++
	}
	return string(l.runes[start:l.at])
}

func (l *lexer) word() string {
	return l.take(func(c rune) bool { return c == '_' || unicode.IsLetter(c) || unicode.IsDigit(c) })
}

// enclosed reads to a closing character; two of them stand for one.
func (l *lexer) enclosed(closing rune) (string, error) {
	opening := l.at
	var text strings.Builder
	for l.at++; l.at < len(l.runes); l.at++ {
		if l.runes[l.at] == closing {
			if l.at+1 == len(l.runes) || l.runes[l.at+1] != closing {
				l.at++
				return text.String(), nil
			}
			l.at++
		}
		text.WriteRune(l.runes[l.at])
	}
	l.at = opening
	return "", l.fail("there is no closing %c", closing)
}

// number reads 12, 1.2, 1E5 and 0.5E-2: a point or an exponent makes it a float64.
func (l *lexer) number() (any, error) {
	start := l.at
	l.take(isDigit)
	float := l.fraction()
	float = l.exponent() || float
	text := string(l.runes[start:l.at])
	if float {
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			l.at = start
			return nil, l.fail("the number %s is too large", text)
		}
		return f, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		l.at = start
		return nil, l.fail("the number %s is too large", text)
	}
	return n, nil
}

func (l *lexer) fraction() bool {
	if l.at+1 >= len(l.runes) || l.runes[l.at] != '.' || !isDigit(l.runes[l.at+1]) {
		return false
	}
	l.at++
	l.take(isDigit)
	return true
}

func (l *lexer) exponent() bool {
	if l.at >= len(l.runes) || l.runes[l.at] != 'E' && l.runes[l.at] != 'e' {
		return false
	}
	back := l.at
	l.at++
	if l.at < len(l.runes) && (l.runes[l.at] == '+' || l.runes[l.at] == '-') {
		l.at++
	}
	if l.take(isDigit) == "" {
		l.at = back
		return false
	}
	return true
}

func (l *lexer) symbol() (string, error) {
	for _, s := range symbols {
		if n := len(s); l.at+n <= len(l.runes) && string(l.runes[l.at:l.at+n]) == s {
			l.at += n
			return s, nil
		}
	}
	return "", l.fail("%q does not belong to the language", l.runes[l.at])
}
