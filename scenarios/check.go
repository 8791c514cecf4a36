package scenarios

import (
	"slices"
	"time"

	"passback/writeback/protocol"
)

// What scenarios check. The answer is never enough: the directory is asked too, by a read and by binds.

// Succeeded checks that the answer says success and what the outcome table says of it.
func (t *T) Succeeded(a Answer) {
	t.outcome(a, protocol.Success)
	if a.TrackingID == "" {
		t.Fatalf("success was told without a tracking id")
	}
}

// Refused checks that the answer is this refusal: told as one, with a text for the person.
func (t *T) Refused(a Answer, want protocol.Outcome) {
	t.outcome(a, want)
	if a.Text == "" {
		t.Fatalf("%q was told without a text for the person", want)
	}
}

func (t *T) outcome(a Answer, want protocol.Outcome) {
	if a.Outcome != want {
		t.Fatalf("the answer is %q (code %q, violation %+v), want %q", a.Outcome, a.Code, a.Violation, want)
	}
	if row := want.Info(); a.Changed != row.Changed {
		t.Fatalf("%q was told with changed %q, want %q", want, a.Changed, row.Changed)
	}
}

// unseen are the rules that leave no trace: an agent can only tell them apart by guessing, and says likely.
var unseen = []protocol.Rule{protocol.RuleHistory, protocol.RuleFilter}

// Violated checks that policy refused, and by which rule: one that the agent is certain of must be this one, one that
// it holds likely may be another that cannot be told from it, and it may say that it does not know.
func (t *T) Violated(a Answer, rule protocol.Rule) {
	t.Refused(a, protocol.PolicyViolation)
	v := a.Violation
	if v == nil {
		t.Fatalf("policyViolation was told without a violation")
	}
	guessed := v.Certainty == protocol.Uncertain ||
		v.Certainty == protocol.Likely && slices.Contains(unseen, v.Rule) && slices.Contains(unseen, rule)
	if v.Rule != rule && !guessed {
		t.Fatalf("the rule is told as %q, %s; want %q", v.Rule, v.Certainty, rule)
	}
	t.Step("the rule is told as %q, %s", v.Rule, v.Certainty)
}

// A Mark remembers a person's password state, to compare with.
type Mark struct {
	t       *T
	user    User
	current protocol.Secret
	account Account
}

// Mark reads the state of a person whose password is now current, and checks that it binds.
func (t *T) Mark(u User, current protocol.Secret) Mark {
	m := Mark{t: t, user: u, current: current, account: t.Account(u)}
	t.Binds(u, current)
	m.account = t.Account(u)
	return m
}

// Unchanged checks that the directory took nothing since: no password write, the same age, the current password still
// binds, and the refused ones do not.
func (m Mark) Unchanged(refused ...protocol.Secret) {
	now := m.t.Account(m.user)
	if now.Writes != m.account.Writes || !now.PasswordSet.Equal(m.account.PasswordSet) {
		m.t.Fatalf("the password of %s was written: %d writes and set at %s; before: %d, %s",
			m.user.UPN, now.Writes, now.PasswordSet, m.account.Writes, m.account.PasswordSet)
	}
	m.t.Binds(m.user, m.current)
	for _, password := range refused {
		m.t.BindRefused(m.user, password, BindWrongPassword)
	}
	m.t.Step("the directory took nothing")
}

// Changed checks that the directory took exactly one password since, and that it is this one.
func (m Mark) Changed(to protocol.Secret) { m.ChangedTimes(1, to) }

// ChangedTimes is Changed for several passwords, of which to is the last.
func (m Mark) ChangedTimes(writes int, to protocol.Secret) {
	now := m.t.Account(m.user)
	if got := now.Writes - m.account.Writes; got != writes {
		m.t.Fatalf("%d password writes on %s, want %d", got, m.user.UPN, writes)
	}
	if now.MustChange {
		m.t.BindRefused(m.user, to, BindMustChange)
	} else {
		if now.PasswordSet.Before(m.account.PasswordSet) {
			m.t.Fatalf("the password of %s was set at %s, before %s", m.user.UPN, now.PasswordSet, m.account.PasswordSet)
		}
		m.t.Binds(m.user, to)
	}
	m.t.Step("the directory took %d password(s), this one last", writes)
}

// Binds checks that the directory accepts the password.
func (t *T) Binds(u User, password protocol.Secret) {
	if b := must(t.Target.Bind(t.ctx, u, password))(t); !b.Accepted {
		t.Fatalf("%s cannot bind with the password that should be current: data %s", u.UPN, b.Data)
	}
}

// BindRefused checks that the directory refuses it, with this sub-code.
func (t *T) BindRefused(u User, password protocol.Secret, data string) {
	if b := must(t.Target.Bind(t.ctx, u, password))(t); b.Accepted || b.Data != data {
		t.Fatalf("a bind of %s was answered accepted=%t data %q; want refused with data %q", u.UPN, b.Accepted, b.Data, data)
	}
}

// SignsIn checks that the cloud's sign-in accepts the password.
func (t *T) SignsIn(u User, password protocol.Secret) {
	if s := must(t.Target.SignIn(t.ctx, u, password))(t); !s.Accepted {
		t.Fatalf("%s cannot sign in to the cloud with the password that should be current", u.UPN)
	}
}

// SignInRefused checks that it does not.
func (t *T) SignInRefused(u User, password protocol.Secret) {
	if s := must(t.Target.SignIn(t.ctx, u, password))(t); s.Accepted {
		t.Fatalf("%s signed in to the cloud with a password that should not be current", u.UPN)
	}
}

// Marked checks that the directory holds this request's marker, applied or burnt, exactly as told.
func (t *T) Marked(u User, a Answer) {
	want := []protocol.Marker{{ID: a.TrackingID}}
	if a.Changed == protocol.ChangedNo {
		want = append(want, protocol.Marker{ID: a.TrackingID, Refused: a.Outcome})
	}
	var got []protocol.Marker
	for _, m := range t.Account(u).Markers {
		if m.ID == a.TrackingID {
			got = append(got, m)
		}
	}
	for _, m := range want {
		if !slices.Contains(got, m) {
			t.Fatalf("the directory's markers of %s are %v, want %v", a.TrackingID, got, want)
		}
	}
	if len(got) != len(want) {
		t.Fatalf("the directory's markers of %s are %v, want %v", a.TrackingID, got, want)
	}
}

// AccountIs checks a condition of a person's state.
func (t *T) AccountIs(u User, what string, holds func(Account) bool) {
	if a := t.Account(u); !holds(a) {
		t.Fatalf("%s: want %s, got %+v", u.UPN, what, a)
	}
}

// near reports whether two instants are one, read by two clocks and cut to seconds.
func near(a, b time.Time) bool { return a.Sub(b).Abs() < 5*time.Second }
