package writeback

// What MS-SAMR 3.1.1.7.2 asks of a password where complexity is on: characters of three categories, and no name of its
// account in it.

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"passback/writeback/directory"
)

const wantCategories = 3

// categories counts those of the five that the password has: capitals and small letters of European scripts, digits,
// the 32 signs of ASCII, letters that have no case. Capitals of other scripts, and all other signs, are of none.
func categories(password string) (n int) {
	var has [5]bool
	for _, r := range password {
		european := unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic)
		switch {
		case unicode.IsUpper(r):
			has[0] = has[0] || european
		case unicode.IsLower(r):
			has[1] = has[1] || european
		case r >= '0' && r <= '9':
			has[2] = true
		case r > ' ' && r < unicode.MaxASCII:
			has[3] = true
		case unicode.IsLetter(r):
			has[4] = true
		}
	}
	for _, yes := range has {
		if yes {
			n++
		}
	}
	return n
}

// shortestName is the least length of a name, or of a part of one, that a password may not contain.
const shortestName = 3

// forbiddenNames are what a password may not contain: the account name as a whole, and each part of the display name.
func forbiddenNames(u directory.User) []string {
	parts := strings.FieldsFunc(u.DisplayName, func(r rune) bool { return strings.ContainsRune(",.-_ #\t", r) })
	return slices.DeleteFunc(append(parts, u.SAM), func(name string) bool { return units(name) < shortestName })
}

// containsName looks for the names, whatever the case.
func containsName(password string, u directory.User) bool {
	password = strings.ToLower(password)
	return slices.ContainsFunc(forbiddenNames(u), func(name string) bool { return strings.Contains(password, strings.ToLower(name)) })
}

// units is a length as the directory counts it, in UTF-16.
func units(text string) int { return len(utf16.Encode([]rune(text))) }
