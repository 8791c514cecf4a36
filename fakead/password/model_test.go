package password_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"passback/fakead/password"
)

// A piece is what drawn passwords are made of: the model knows of each how long it is and what it counts as, and so
// looks at no character.
type piece struct {
	text     string
	units    int    // of UTF-16
	category string // empty: none
	name     bool   // of the account
}

var pieces = []piece{
	{"KQ", 2, "upper", false}, {"wv", 2, "lower", false}, {"47", 2, "digit", false}, {"!?", 2, "special", false}, {"漢", 1, "other", false},
	{"€", 1, "", false}, {"🙂", 2, "", false}, {"ALICE", 5, "upper", true}, {"smith", 5, "lower", true}, {"9bo", 3, "both", false},
}

// draw draws a new password, or one of before.
func (m *passwordModel) draw(t *rapid.T) []piece {
	if len(m.past) > 0 && rapid.Bool().Draw(t, "again") {
		return rapid.SampledFrom(m.past).Draw(t, "old")
	}
	return rapid.SliceOfN(rapid.SampledFrom(pieces), 0, 6).Draw(t, "new")
}

func textOf(p []piece) string {
	var b strings.Builder
	for _, one := range p {
		b.WriteString(one.text)
	}
	return b.String()
}

// A passwordModel remembers in clear what an account may only keep the hash of.
type passwordModel struct {
	policy password.Policy
	now    time.Time
	set    time.Time // zero: must change
	past   [][]piece // the current one first
	kept   int       // of past, what is stored
}

func (m *passwordModel) judge(p []piece, strict bool) password.Rule {
	units, categories, named := 0, map[string]bool{}, false
	for _, one := range p {
		units += one.units
		named = named || one.name
		switch one.category {
		case "":
		case "both":
			categories["digit"], categories["lower"] = true, true
		default:
			categories[one.category] = true
		}
	}
	if strict && !m.set.IsZero() && m.now.Sub(m.set) < m.policy.MinAge {
		return password.MinimumAge
	}
	if units < m.policy.MinLength {
		return password.Length
	}
	if m.policy.Complexity && len(categories) < 3 {
		return password.Complexity
	}
	if m.policy.Complexity && named {
		return password.ContainsName
	}
	for i, old := range m.past {
		if strict && i < m.policy.History && i < m.kept && textOf(old) == textOf(p) {
			return password.History
		}
	}
	return password.Acceptable
}

func (m *passwordModel) write(p []piece, mustChange bool) {
	m.past, m.set = append([][]piece{p}, m.past...), m.now
	if mustChange {
		m.set = time.Time{}
	}
	m.kept = min(m.kept+1, max(m.policy.History, 3))
}

func drawPolicy(t *rapid.T) password.Policy {
	minutes := func(name string) time.Duration {
		return time.Duration(rapid.SampledFrom([]int{0, 0, 1, 10, 30}).Draw(t, name)) * time.Minute
	}
	return password.Policy{
		MinLength: rapid.SampledFrom([]int{0, 0, 3, 7}).Draw(t, "length"), Complexity: rapid.Bool().Draw(t, "complexity"), History: rapid.IntRange(0, 6).Draw(t, "history"),
		MinAge: minutes("minimum age"), LockoutThreshold: rapid.IntRange(0, 3).Draw(t, "threshold"),
		LockoutDuration: minutes("lockout"), LockoutWindow: minutes("window"),
	}
}

// Whatever is done to an account in whatever order: the rule that refuses a password is the model's, what is stored
// holds no password and no more of them than it may, and only a lockout that is to last until it is ended does.
func TestNoSequenceBreaksAnAccount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &passwordModel{policy: drawPolicy(t), now: noon}
		a := &password.Account{Name: "alice", DisplayName: "Al Smith", Control: password.NormalAccount}
		write := func(strict, mustChange bool) {
			p := m.draw(t)
			got, want := a.Judge(m.policy, m.now, textOf(p), password.Check{AgeAndHistory: strict}), m.judge(p, strict)
			if got != want {
				t.Fatalf("a new password of %d pieces, strict %t: refused by %q, want %q", len(p), strict, got, want)
			}
			if got == password.Acceptable {
				a.Set(m.policy, m.now, textOf(p), mustChange)
				m.write(p, mustChange)
			}
		}
		logon := func(text string) {
			locked, current := a.Locked(m.policy, m.now), len(m.past) > 0 && text == textOf(m.past[0])
			switch got := a.Logon(m.policy, m.now, text); {
			case locked && got != password.AccountLockedOut:
				t.Fatalf("locked, and the logon ends in %x", int(got))
			case !locked && current && !m.set.IsZero() && got != password.Admitted:
				t.Fatalf("the right password ends in %x", int(got))
			case got == password.WrongPassword && a.LockoutTime.Equal(m.now) && !a.Locked(m.policy, m.now):
				t.Fatal("a lockout that begins now is over")
			case got == password.Admitted && a.Locked(m.policy, m.now):
				t.Fatal("admitted, and locked")
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"change":     func(*rapid.T) { write(true, false) },
			"reset":      func(t *rapid.T) { write(false, rapid.Bool().Draw(t, "must change")) },
			"logon":      func(t *rapid.T) { logon(textOf(m.draw(t))) },
			"wrong":      func(*rapid.T) { logon("no") },
			"unlock":     func(*rapid.T) { a.Unlock() },
			"new policy": func(t *rapid.T) { m.policy = drawPolicy(t) },
			"wait": func(t *rapid.T) {
				m.now = m.now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "minutes")) * time.Minute)
			},
			"": func(t *rapid.T) { m.check(t, a) },
		})
	})
}

// check holds after every step.
func (m *passwordModel) check(t *rapid.T, a *password.Account) {
	if len(a.Passwords) != m.kept {
		t.Fatalf("%d passwords are stored, want %d", len(a.Passwords), m.kept)
	}
	shown := fmt.Sprintf("%v %+v %#v %s", a, a, a, password.Encode(a.Passwords))
	for _, p := range m.past {
		if text := textOf(p); len(text) >= 6 && strings.Contains(shown, text) {
			t.Fatal("a password can be read")
		}
	}
	if !a.Locked(m.policy, m.now) {
		return
	}
	later := m.now.Add(m.policy.LockoutDuration)
	if endless := m.policy.LockoutDuration == 0; a.Locked(m.policy, later) != endless {
		t.Fatalf("locked after the duration: %t; until it is ended: %t", !endless, endless)
	}
}
