package fakead

// A password filter made of a list of words, as organisations have them beside their domain controllers.

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

const shortestWord = 3 // characters: anything shorter would refuse nearly every password

// BannedWords reads a list, a word a line, and returns a filter that refuses each new password that contains one of
// them, whatever the case. Empty lines, and lines that begin with #, say nothing.
func BannedWords(list io.Reader) (PasswordFilter, error) {
	var words []string
	lines := bufio.NewScanner(list)
	for n := 1; lines.Scan(); n++ {
		word := strings.ToLower(strings.TrimSpace(lines.Text()))
		switch {
		case word == "" || strings.HasPrefix(word, "#"):
		case utf8.RuneCountInString(word) < shortestWord:
			return nil, fmt.Errorf("banned words, line %d: a word of fewer than %d characters", n, shortestWord)
		default:
			words = append(words, word)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read the banned words: %w", err)
	}
	return func(r FilterRequest) bool {
		secret := strings.ToLower(r.Password)
		for _, word := range words {
			if strings.Contains(secret, word) {
				return false
			}
		}
		return true
	}, nil
}
