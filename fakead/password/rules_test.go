package password_test

import (
	"strings"
	"testing"
	"time"

	"passback/fakead/password"
)

var noon = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)

// lax is a policy without rules.
func lax() password.Policy { return password.Policy{} }

func TestComplexityIsThreeOfFiveCategories(t *testing.T) {
	p := lax()
	p.Complexity = true
	for secret, want := range map[string]password.Rule{
		"abcdefgh":  password.Complexity,
		"abcdEFGH":  password.Complexity,
		"abcdEF12":  password.Acceptable,
		"abcdef1!":  password.Acceptable,
		"ABCDEF1!":  password.Acceptable,
		"äöüÄÖÜ12":  password.Acceptable, // letters with diacritics are letters
		"жукЖУК12":  password.Acceptable,
		"abcABC€€":  password.Complexity, // the euro sign is in no category
		"abcABC££":  password.Complexity,
		"abc ABC":   password.Complexity, // nor is a space
		"abcABC~":   password.Acceptable,
		"abcABC\"":  password.Acceptable,
		"abcABC漢字":  password.Acceptable, // letters without case are the fifth
		"漢字漢字漢字12":  password.Complexity,
		"12345678!": password.Complexity,
	} {
		if got := (&password.Account{}).Judge(p, noon, secret, password.Check{}); got != want {
			t.Errorf("%q: %q, want %q", secret, got, want)
		}
	}
	for _, special := range "~!@#$%^&*_-+=`|\\(){}[]:;\"'<>,.?/" {
		if got := (&password.Account{}).Judge(p, noon, "abcABC"+string(special), password.Check{}); got != password.Acceptable {
			t.Errorf("%q is a special character and was not taken for one", special)
		}
	}
}

func TestComplexityForbidsTheAccountsNames(t *testing.T) {
	p := lax()
	p.Complexity = true
	for _, c := range []struct {
		name, display, secret string
		want                  password.Rule
	}{
		{"alice", "", "xALICEx1!", password.ContainsName},
		{"al", "", "xAlx1!aaa", password.Acceptable}, // shorter than three characters
		{"smithers", "Waylon Smithers", "Waylon-2026", password.ContainsName},
		{"smithers", "Waylon Smithers", "Waylo-2026", password.Acceptable},
		{"w", "Jo Ann Lee", "Xjo-2026a", password.Acceptable},
		{"w", "Jo Ann Lee", "Xann-2026", password.ContainsName},
		{"w", "Meyer-Landrut,Lena#42_x.yyy", "Landrut1!", password.ContainsName},
		{"w", "Meyer-Landrut,Lena#42_x.yyy", "Lena12!!", password.ContainsName},
		{"w", "Meyer-Landrut,Lena#42_x.yyy", "aYYY12!!", password.ContainsName},
		{"w", "a\tbcd", "Bcd12!!aa", password.ContainsName},
		{"alice.smith", "", "Smith-2026", password.Acceptable}, // sAMAccountName counts as a whole
	} {
		a := &password.Account{Name: c.name, DisplayName: c.display}
		if got := a.Judge(p, noon, c.secret, password.Check{}); got != c.want {
			t.Errorf("%q of %q (%q): %q, want %q", c.secret, c.name, c.display, got, c.want)
		}
	}
	p.Complexity = false
	if got := (&password.Account{Name: "alice"}).Judge(p, noon, "alice", password.Check{}); got != password.Acceptable {
		t.Errorf("without complexity a name was refused: %q", got)
	}
}

func TestLengthCountsUTF16Units(t *testing.T) {
	p := lax()
	p.MinLength = 8
	for secret, want := range map[string]password.Rule{
		"1234567":                password.Length,
		"12345678":               password.Acceptable,
		"äöüäöüä":                password.Length,
		"😀😀😀😀":                   password.Acceptable, // two units each
		strings.Repeat("a", 256): password.Acceptable,
		strings.Repeat("a", 257): password.Length,
	} {
		if got := (&password.Account{}).Judge(p, noon, secret, password.Check{}); got != want {
			t.Errorf("%d bytes: %q, want %q", len(secret), got, want)
		}
	}
	if got := (&password.Account{}).Judge(lax(), noon, "", password.Check{}); got != password.Acceptable {
		t.Errorf("minimum length 0 refused the empty password: %q", got)
	}
}

func TestHistoryIsTheCurrentAndTheOnesBefore(t *testing.T) {
	p := lax()
	p.History = 3
	a := &password.Account{}
	for i, secret := range []string{"one", "two", "three", "four"} {
		a.Set(p, noon.Add(time.Duration(i)*time.Minute), secret, false)
	}
	judge := func(secret string, c password.Check) password.Rule { return a.Judge(p, noon.Add(time.Hour), secret, c) }
	all := password.Check{AgeAndHistory: true}
	for secret, want := range map[string]password.Rule{
		"four": password.History, "three": password.History, "two": password.History, "one": password.Acceptable, "five": password.Acceptable,
	} {
		if got := judge(secret, all); got != want {
			t.Errorf("%s: %q, want %q", secret, got, want)
		}
		if got := judge(secret, password.Check{}); got != password.Acceptable {
			t.Errorf("%s was refused to a plain reset: %q", secret, got)
		}
	}
	p.History = 0
	if got := judge("four", all); got != password.Acceptable {
		t.Errorf("history 0 refused the current password: %q", got)
	}
	p.History = 1
	if got := judge("four", all); got != password.History {
		t.Errorf("history 1 took the current password: %q", got)
	}
	if got := judge("three", all); got != password.Acceptable {
		t.Errorf("history 1 refused the previous password: %q", got)
	}
}

func TestMinimumAge(t *testing.T) {
	p := lax()
	p.MinAge = 24 * time.Hour
	a := &password.Account{}
	a.Set(p, noon, "one", false)
	all := password.Check{AgeAndHistory: true}
	if got := a.Judge(p, noon.Add(24*time.Hour-time.Second), "two", all); got != password.MinimumAge {
		t.Errorf("a second too soon: %q", got)
	}
	if got := a.Judge(p, noon.Add(24*time.Hour), "two", all); got != password.Acceptable {
		t.Errorf("after a day: %q", got)
	}
	if got := a.Judge(p, noon, "two", password.Check{}); got != password.Acceptable {
		t.Errorf("a plain reset: %q", got)
	}
	a.LastSet = time.Time{}
	if got := a.Judge(p, noon, "two", all); got != password.Acceptable {
		t.Errorf("who must change may at once: %q", got)
	}
}

func TestRulesAreAppliedInOrder(t *testing.T) {
	p := password.Policy{MinLength: 7, Complexity: true, History: 24, MinAge: time.Hour}
	a := &password.Account{Name: "alice"}
	a.Set(p, noon, "abc", false)
	all := password.Check{AgeAndHistory: true}
	for _, c := range []struct {
		after  time.Duration
		secret string
		want   password.Rule
	}{
		{0, "abc", password.MinimumAge},
		{time.Hour, "abc", password.Length},
		{time.Hour, "alicealice", password.Complexity},
		{time.Hour, "Alice-2026", password.ContainsName},
	} {
		if got := a.Judge(p, noon.Add(c.after), c.secret, all); got != c.want {
			t.Errorf("%q: %q, want %q", c.secret, got, c.want)
		}
	}
}
