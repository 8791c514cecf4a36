package sqlfilter

import "errors"

// A pattern of LIKE: % stands for any characters, _ for one.
type pattern []element

type element struct {
	char rune
	wild rune // '%', '_', or 0 for char itself
}

var errEscape = errors.New("the escape character of LIKE must be one character")

// parsePattern takes "" for no escape character.
func parsePattern(text, escape string) (pattern, error) {
	var escapes rune = -1
	if runes := []rune(escape); len(runes) == 1 {
		escapes = runes[0]
	} else if escape != "" {
		return nil, errEscape
	}
	var p pattern
	escaped := false
	for _, c := range text {
		switch {
		case !escaped && c == escapes:
			escaped = true
			continue
		case !escaped && (c == '%' || c == '_'):
			p = append(p, element{wild: c})
		default:
			p = append(p, element{char: c})
		}
		escaped = false
	}
	return p, nil
}

// matches goes back to the last % only, which is enough: an earlier one could not take less.
func (p pattern) matches(text []rune) bool {
	at, back, from := 0, -1, 0
	for i := 0; i < len(text); {
		switch {
		case at < len(p) && p[at].wild == '%':
			back, from = at, i
			at++
		case at < len(p) && (p[at].wild == '_' || p[at].wild == 0 && p[at].char == text[i]):
			at++
			i++
		case back >= 0:
			from++
			at, i = back+1, from
		default:
			return false
		}
	}
	for at < len(p) && p[at].wild == '%' {
		at++
	}
	return at == len(p)
}
