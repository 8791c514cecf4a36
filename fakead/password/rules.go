package password

import (
	"strings"
	"time"
	"unicode"
	"unicode/utf16"
)

// A Rule is what refused a new password. A client of the directory cannot tell them apart: they all carry the
// same code.
type Rule string

// The rules, in the order in which they are applied.
const (
	Acceptable   Rule = ""
	MinimumAge   Rule = "minimum age"
	Length       Rule = "length"
	Complexity   Rule = "complexity"
	ContainsName Rule = "contains a name"
	History      Rule = "history"
	Filter       Rule = "filter" // a password filter's decision, which is made outside of this package
)

// Rules tells what each rule says, in their order, and where Windows says so.
var Rules = []struct {
	Rule         Rule
	Says, Source string
}{
	{MinimumAge, "a change, or a reset with policy hints, within the minimum age of the last one", "MS-SAMR 3.1.1.7.1"},
	{Length, "fewer UTF-16 units than the minimum length, or more than 256", "MS-SAMR 3.1.1.7.1 and 3.1.1.7.2"},
	{Complexity, "fewer than three of the five categories of characters", "MS-SAMR 3.1.1.7.2"},
	{ContainsName, "contains sAMAccountName, or a part of displayName, of three characters or more", "MS-SAMR 3.1.1.7.2"},
	{History, "a change, or a reset with policy hints, to one of the last N passwords", "MS-SAMR 3.1.1.7.1"},
	{Filter, "a filter of Options.Filters says no, or --banned-words does", "as a password filter DLL"},
}

// A Check says which of the rules that a reset is normally free of apply: all do to a change, and to a reset
// with the policy hints control.
type Check struct{ AgeAndHistory bool }

// Judge applies a policy to a new password.
func (a *Account) Judge(p Policy, now time.Time, password string, c Check) Rule {
	length := len(utf16.Encode([]rune(password)))
	switch {
	case c.AgeAndHistory && a.tooYoung(p, now):
		return MinimumAge
	case length < p.MinLength || length > maxLength:
		return Length
	case p.Complexity && !varied(password):
		return Complexity
	case p.Complexity && a.containsName(password):
		return ContainsName
	case c.AgeAndHistory && a.used(p, password):
		return History
	}
	return Acceptable
}

func (a *Account) tooYoung(p Policy, now time.Time) bool {
	return !a.LastSet.IsZero() && now.Before(a.LastSet.Add(p.MinAge))
}

func (a *Account) used(p Policy, password string) bool {
	for _, old := range a.Passwords[:min(p.History, len(a.Passwords))] {
		if old.Is(password) {
			return true
		}
	}
	return false
}

// The 32 special characters of MS-SAMR 3.1.1.7.2. Other symbols, the euro sign among them, are in no category.
const specials = "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/"

// varied tells whether a password has characters of three of the five categories.
func varied(password string) bool {
	var upper, lower, digit, special, other int
	for _, r := range password {
		switch {
		case unicode.IsUpper(r) && european(r):
			upper = 1
		case unicode.IsLower(r) && european(r):
			lower = 1
		case r >= '0' && r <= '9':
			digit = 1
		case strings.ContainsRune(specials, r):
			special = 1
		case unicode.IsLetter(r) && !unicode.IsUpper(r) && !unicode.IsLower(r):
			other = 1
		}
	}
	return upper+lower+digit+special+other >= 3
}

func european(r rune) bool { return unicode.In(r, unicode.Latin, unicode.Greek, unicode.Cyrillic) }

// minNamePart is how long a name or a part of one has to be to be looked for, in characters.
const minNamePart = 3

// containsName looks for sAMAccountName as a whole and for each part of displayName, whatever the case.
func (a *Account) containsName(password string) bool {
	parts := append(strings.FieldsFunc(a.DisplayName, separatesNames), a.Name)
	password = strings.ToLower(password)
	for _, part := range parts {
		if len(utf16.Encode([]rune(part))) >= minNamePart && strings.Contains(password, strings.ToLower(part)) {
			return true
		}
	}
	return false
}

func separatesNames(r rune) bool { return strings.ContainsRune(",.-_ #\t", r) }
