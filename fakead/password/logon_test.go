package password_test

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"passback/fakead/password"
)

const right, wrong = "right", "wrong"

// account has password right, set yesterday.
func account() *password.Account {
	a := &password.Account{Name: "alice", Control: password.NormalAccount}
	a.Set(password.Policy{}, noon.AddDate(0, 0, -1), right, false)
	return a
}

func locking() password.Policy {
	return password.Policy{LockoutThreshold: 3, LockoutDuration: 30 * time.Minute, LockoutWindow: 10 * time.Minute}
}

func TestLogonTellsWhyOnlyToWhoKnowsThePassword(t *testing.T) {
	p := locking()
	p.MaxAge = 42 * 24 * time.Hour
	disabled := func(a *password.Account) { a.Control |= password.AccountDisabled }
	locked := func(a *password.Account) { a.LockoutTime = noon }
	expired := func(a *password.Account) { a.Expires = noon }
	mustChange := func(a *password.Account) { a.LastSet = time.Time{} }
	old := func(a *password.Account) { a.LastSet = noon.Add(-p.MaxAge - time.Second) }
	elsewhere := func(a *password.Account) { a.ElsewhereOnly = true }
	hours := func(a *password.Account) { a.LogonHours = make([]byte, 21) }
	endless := func(a *password.Account) { a.Control |= password.DontExpire }
	for _, c := range []struct {
		name    string
		states  []func(*password.Account)
		right   password.Admission
		wrongly password.Admission
	}{
		{"ordinary", nil, password.Admitted, password.WrongPassword},
		{"disabled", []func(*password.Account){disabled}, password.AccountIsDisabled, password.WrongPassword},
		{"locked", []func(*password.Account){locked}, password.AccountLockedOut, password.AccountLockedOut},
		{"account expired", []func(*password.Account){expired}, password.AccountExpired, password.WrongPassword},
		{"must change", []func(*password.Account){mustChange}, password.PasswordMustChange, password.WrongPassword},
		{"password expired", []func(*password.Account){old}, password.PasswordExpired, password.WrongPassword},
		{"outside logon hours", []func(*password.Account){hours}, password.OutsideLogonHours, password.WrongPassword},
		{"at another workstation only", []func(*password.Account){elsewhere}, password.WrongWorkstation, password.WrongPassword},
		{"locked and disabled", []func(*password.Account){locked, disabled}, password.AccountLockedOut, password.AccountLockedOut},
		{"elsewhere and must change", []func(*password.Account){elsewhere, mustChange}, password.PasswordMustChange, password.WrongPassword},
		{"elsewhere and outside logon hours", []func(*password.Account){elsewhere, hours}, password.WrongWorkstation, password.WrongPassword},
		{"must change and outside logon hours", []func(*password.Account){mustChange, hours}, password.PasswordMustChange, password.WrongPassword},
		{"locked and must change", []func(*password.Account){locked, mustChange}, password.AccountLockedOut, password.AccountLockedOut},
		{"disabled and expired", []func(*password.Account){disabled, expired}, password.AccountIsDisabled, password.WrongPassword},
		{"expired and must change", []func(*password.Account){expired, mustChange}, password.AccountExpired, password.WrongPassword},
		{"disabled and must change", []func(*password.Account){disabled, mustChange}, password.AccountIsDisabled, password.WrongPassword},
		{"never expires and must change", []func(*password.Account){endless, mustChange}, password.Admitted, password.WrongPassword},
		{"never expires and old", []func(*password.Account){endless, old}, password.Admitted, password.WrongPassword},
	} {
		for secret, want := range map[string]password.Admission{right: c.right, wrong: c.wrongly} {
			a := account()
			for _, set := range c.states {
				set(a)
			}
			if got := a.Logon(p, noon, secret); got != want {
				t.Errorf("%s, %s password: %x, want %x", c.name, secret, int(got), int(want))
			}
		}
	}
}

func TestLogonHoursAreBitsOfTheWeek(t *testing.T) {
	a := account()
	a.LogonHours = make([]byte, 21)
	a.LogonHours[(3*24+12)/8] = 1 << ((3*24 + 12) % 8) // noon is on a Wednesday
	if got := a.Logon(locking(), noon.Add(59*time.Minute), right); got != password.Admitted {
		t.Errorf("within the hour: %x", int(got))
	}
	if got := a.Logon(locking(), noon.Add(time.Hour), right); got != password.OutsideLogonHours {
		t.Errorf("after the hour: %x", int(got))
	}
	a.LogonHours = bytes.Repeat([]byte{0xff}, 21)
	if got := a.Logon(locking(), noon.Add(time.Hour), right); got != password.Admitted {
		t.Errorf("all hours: %x", int(got))
	}
}

func TestLockoutLastsItsDuration(t *testing.T) {
	p, a := locking(), account()
	for i, want := range []password.Admission{password.WrongPassword, password.WrongPassword, password.WrongPassword, password.AccountLockedOut} {
		if got := a.Logon(p, noon, fmt.Sprintf("wrong %d", i)); got != want {
			t.Errorf("attempt %d: %x, want %x", i+1, int(got), int(want))
		}
	}
	if a.BadCount != 3 || a.ComputedControl(p, noon)&password.LockedOut == 0 {
		t.Errorf("badPwdCount %d, computed %x", a.BadCount, a.ComputedControl(p, noon))
	}
	end := noon.Add(30 * time.Minute)
	if got := a.Logon(p, end.Add(-time.Second), right); got != password.AccountLockedOut {
		t.Errorf("a second before the end: %x", int(got))
	}
	if a.Logon(p, end, wrong); a.BadCount != 1 || a.LockoutTime.IsZero() {
		t.Errorf("a wrong password after the end: badPwdCount %d, lockoutTime %v", a.BadCount, a.LockoutTime)
	}
	if a.Logon(p, end, wrong); a.BadCount != 2 {
		t.Errorf("a second one: badPwdCount %d", a.BadCount)
	}
	if got := a.Logon(p, end, right); got != password.Admitted || a.BadCount != 0 || !a.LockoutTime.IsZero() {
		t.Errorf("the right one: %x, badPwdCount %d, lockoutTime %v", int(got), a.BadCount, a.LockoutTime)
	}
}

func TestLockoutWithoutEnd(t *testing.T) {
	p, a := locking(), account()
	p.LockoutDuration = 0
	for range 3 {
		a.Logon(p, noon, wrong)
	}
	if got := a.Logon(p, noon.AddDate(10, 0, 0), right); got != password.AccountLockedOut {
		t.Errorf("after ten years: %x", int(got))
	}
	a.Unlock()
	if got := a.Logon(p, noon, right); got != password.Admitted {
		t.Errorf("after an unlock: %x", int(got))
	}
}

func TestCountingStartsAgainAfterTheWindow(t *testing.T) {
	p, a := locking(), account()
	a.Logon(p, noon, wrong)
	a.Logon(p, noon.Add(10*time.Minute), wrong)
	if a.BadCount != 2 {
		t.Errorf("within the window: %d", a.BadCount)
	}
	a.Logon(p, noon.Add(20*time.Minute+time.Second), wrong)
	if a.BadCount != 1 {
		t.Errorf("after the window: %d", a.BadCount)
	}
}

func TestOldPasswords(t *testing.T) {
	p := locking()
	p.History = 24
	a := &password.Account{Control: password.NormalAccount}
	for i, secret := range []string{"first", "second", "third", "fourth"} {
		a.Set(p, noon.Add(time.Duration(i-3)*24*time.Hour), secret, false)
	}
	inGrace, after := noon.Add(59*time.Minute), noon.Add(60*time.Minute)
	if got := a.Logon(p, inGrace, "third"); got != password.Admitted {
		t.Errorf("the previous password within the hour: %x", int(got))
	}
	for _, c := range []struct {
		secret string
		at     time.Time
		count  int
	}{
		{"third", after, 0},    // N-1: refused and not counted
		{"second", inGrace, 0}, // N-2 too
		{"first", inGrace, 1},  // N-3 counts
	} {
		if got := a.Logon(p, c.at, c.secret); got != password.WrongPassword || a.BadCount != c.count {
			t.Errorf("%s: %x, badPwdCount %d, want %d", c.secret, int(got), a.BadCount, c.count)
		}
	}
}

// Without a history nothing is known of the passwords before.
func TestOldPasswordsWithoutAHistory(t *testing.T) {
	p := locking()
	a := account()
	a.Set(p, noon, "next", false)
	if got := a.Logon(p, noon, right); got != password.WrongPassword || a.BadCount != 1 {
		t.Errorf("%x, badPwdCount %d", int(got), a.BadCount)
	}
}

func TestNothingIsCountedWithoutAThreshold(t *testing.T) {
	a := account()
	if got := a.Logon(password.Policy{}, noon, wrong); got != password.WrongPassword || a.BadCount != 0 || !a.BadTime.IsZero() {
		t.Errorf("%x, badPwdCount %d, badPasswordTime %v", int(got), a.BadCount, a.BadTime)
	}
}

func TestComputedValues(t *testing.T) {
	p := password.Policy{MaxAge: 42 * 24 * time.Hour}
	a := account()
	if at, never, must := a.ExpiryTime(p); !at.Equal(noon.AddDate(0, 0, 41)) || never || must {
		t.Errorf("ordinary: %v %t %t", at, never, must)
	}
	if got := a.ComputedControl(p, noon.AddDate(0, 0, 42)); got != password.Expired {
		t.Errorf("after its age: %x", got)
	}
	a.LastSet = time.Time{}
	if _, never, must := a.ExpiryTime(p); never || !must {
		t.Errorf("must change: %t %t", never, must)
	}
	if got := a.ComputedControl(p, noon); got != password.Expired {
		t.Errorf("must change: %x", got)
	}
	if _, _, must := a.ExpiryTime(password.Policy{}); !must {
		t.Error("must change comes before a policy without a maximum age")
	}
	for _, exempt := range []uint32{password.DontExpire, password.SmartcardRequired, password.WorkstationTrust} {
		a.Control = exempt
		if _, never, _ := a.ExpiryTime(p); !never || a.ComputedControl(p, noon) != 0 {
			t.Errorf("control %x: never %t, computed %x", exempt, never, a.ComputedControl(p, noon))
		}
	}
}

func TestStoredPasswords(t *testing.T) {
	a := account()
	a.Set(password.Policy{History: 2}, noon, "next", false)
	read := password.Decode(password.Encode(a.Passwords))
	if len(read) != 2 || !read[0].Is("next") || read[0].Is(right) || !read[1].Is(right) {
		t.Error("what was written is not what was read")
	}
	if one, other := password.Store("same"), password.Store("same"); one == other {
		t.Error("two digests of one password are equal: no salt")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		if got := fmt.Sprintf(verb, read[0]); got != "[redacted]" {
			t.Errorf("%s prints %s", verb, got)
		}
	}
	if got := password.Decode([]byte("short")); got != nil {
		t.Errorf("bytes of another origin were read as %d passwords", len(got))
	}
}

// Of simple binds, lastLogon is moved by one after wrong ones alone, as a real domain controller was seen to do; not by one
// that ends a lockout.
func TestWhichLogonMovesLastLogon(t *testing.T) {
	p, end := locking(), noon.Add(30*time.Minute)
	for _, s := range []struct {
		before int // wrong ones
		moved  bool
	}{{0, false}, {1, true}, {2, true}, {3, false}} {
		a := account()
		for range s.before {
			a.Logon(p, noon, wrong)
		}
		if got := a.Logon(p, end, right); got != password.Admitted {
			t.Fatalf("after %d wrong ones: %x", s.before, int(got))
		}
		if moved := a.LastLogonHere.Equal(end); moved != s.moved || !moved && !a.LastLogonHere.IsZero() {
			t.Errorf("after %d wrong ones lastLogon is %v", s.before, a.LastLogonHere)
		}
	}
}
