package sqlfilter

import "errors"

// A pattern of LIKE: % stands for any characters, _ for one.
type pattern []element

type element struct {
	char rune
	wild rune // '%', '_', or 0 for char itself
}

var (
	errEscape   = errors.New("the escape character of LIKE must be one character")
	errTrailing = errors.New("the pattern of LIKE ends with its escape character, which leaves nothing to escape")
)

// parsePattern takes "" for no escape character. One at the end is an error, as SQL-92 has it (8.5, general rule 3); one
// before any other character than %, _ and itself would be one too, and is let through here, as most databases do.
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
	if escaped {
		return nil, errTrailing
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
