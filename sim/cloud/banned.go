package cloud

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"passback/writeback/protocol"
)

// The banned-password check that Entra documents ("Eliminate bad passwords", how passwords are evaluated):
// normalise, compare with the lists within an edit distance of one, then score. It runs in the cloud, before
// anything is sent on-premises. Left out on purpose: the user's and the tenant's names, which the directory's
// own complexity rule decides, and Microsoft's list, which is not public: globalBanned stands for it.
var globalBanned = normalised([]string{
	"password", "qwerty", "letmein", "welcome", "admin", "iloveyou", "monkey", "dragon", "football", "baseball",
	"sunshine", "princess", "master", "shadow", "superman", "trustno", "summer", "winter", "spring", "autumn",
	"january", "february", "monday", "friday", "abcdef", "secret", "login", "starwars", "whatever", "microsoft",
})

// minimumScore is of one point for each banned word found and one for each character left.
const minimumScore = 5

var leet = strings.NewReplacer("0", "o", "1", "l", "$", "s", "@", "a")

func normalise(s string) string { return leet.Replace(strings.ToLower(s)) }

func normalised(words []string) []string {
	normal := make([]string, len(words))
	for i, word := range words {
		normal[i] = normalise(word)
	}
	return normal
}

func banned(password protocol.Secret, custom []string) bool {
	normal := normalise(password.Reveal())
	score := 0
	rest := normal
	for _, list := range [][]string{globalBanned, normalised(custom)} {
		for _, word := range list {
			if len(word) < 4 {
				continue // as in Entra: a word this short bans nothing
			}
			if withinOneEdit(normal, word) {
				return true
			}
			score += strings.Count(rest, word)
			rest = strings.ReplaceAll(rest, word, "")
		}
	}
	return score+len(utf16.Encode([]rune(rest))) < minimumScore
}

// withinOneEdit reports whether one insertion, removal or substitution at most lies between a and b.
func withinOneEdit(a, b string) bool {
	if n := utf8.RuneCountInString(a) - utf8.RuneCountInString(b); n < -1 || n > 1 {
		return false
	}
	s, l := []rune(a), []rune(b)
	if len(s) > len(l) {
		s, l = l, s
	}
	i := 0
	for i < len(s) && s[i] == l[i] {
		i++
	}
	if len(s) == len(l) {
		return i == len(s) || string(s[i+1:]) == string(l[i+1:])
	}
	return string(s[i:]) == string(l[i+1:])
}
