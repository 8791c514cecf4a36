package password

import "time"

// An Admission is how a logon ends; its number is the one that "data" in an AcceptSecurityContext error shows.
type Admission int

// The ends of a logon.
const (
	Admitted           Admission = 0
	NoLogonServers     Admission = 0x51f // a read-only domain controller can ask nobody
	NoSuchUser         Admission = 0x525
	WrongPassword      Admission = 0x52e
	OutsideLogonHours  Admission = 0x530
	WrongWorkstation   Admission = 0x531
	PasswordExpired    Admission = 0x532
	AccountIsDisabled  Admission = 0x533
	AccountExpired     Admission = 0x701
	PasswordMustChange Admission = 0x773
	AccountLockedOut   Admission = 0x775
)

// Admissions tells what each refusal of a logon means, in the order in which they are looked for.
var Admissions = []struct {
	Admission Admission
	Means     string
}{
	{NoSuchUser, "no account has that name"},
	{AccountLockedOut, "locked out, whatever the password"},
	{WrongPassword, "wrong password, or the one before the last"},
	{AccountIsDisabled, "right password, disabled"},
	{AccountExpired, "right password, accountExpires has passed"},
	{PasswordMustChange, "right password, pwdLastSet is 0"},
	{PasswordExpired, "right password, older than the maximum age"},
	{WrongWorkstation, "right password, userWorkstations names others only"},
	{OutsideLogonHours, "right password, outside of logonHours"},
}

// Logon judges a password at logon and keeps the account's counters. What else stands in the way is told only
// to who knows the password, except for a lockout.
func (a *Account) Logon(p Policy, now time.Time, password string) Admission {
	switch {
	case a.Locked(p, now):
		return AccountLockedOut
	case !a.lets(p, password, now):
		a.countAtLogon(p, now, password)
		return WrongPassword
	case a.Control&AccountDisabled != 0:
		return AccountIsDisabled
	case !a.Expires.IsZero() && !now.Before(a.Expires):
		return AccountExpired
	case a.MustChange():
		return PasswordMustChange
	case a.Expired(p, now):
		return PasswordExpired
	case a.ElsewhereOnly:
		return WrongWorkstation
	case !a.withinLogonHours(now):
		return OutsideLogonHours
	}
	if a.BadCount > 0 && a.LockoutTime.IsZero() {
		a.LastLogonHere = now // of simple binds only one after wrong ones moves it
	}
	a.Unlock()
	a.loggedOn(now)
	return Admitted
}

// LogonByCertificate judges who has shown a certificate. The password, its age too, plays no part and no counter
// changes.
func (a *Account) LogonByCertificate(p Policy, now time.Time) Admission {
	switch {
	case a.Locked(p, now):
		return AccountLockedOut
	case a.Control&AccountDisabled != 0:
		return AccountIsDisabled
	case !a.Expires.IsZero() && !now.Before(a.Expires):
		return AccountExpired
	case a.ElsewhereOnly:
		return WrongWorkstation
	case !a.withinLogonHours(now):
		return OutsideLogonHours
	}
	a.loggedOn(now)
	return Admitted
}

func (a *Account) loggedOn(now time.Time) {
	if a.LastLogon.IsZero() || now.Sub(a.LastLogon) > logonTimestampSync {
		a.LastLogon = now
	}
}

// lets accepts the current password, and the one before it while pwdLastSet is less than an hour ago; but not of
// an account that a smart card is required of, whose current one nobody knows.
func (a *Account) lets(p Policy, password string, now time.Time) bool {
	if a.Is(password) {
		return true
	}
	former := a.former(p)
	return len(former) > 0 && a.Control&SmartcardRequired == 0 && now.Sub(a.LastSet) < graceForOld && former[0].Is(password)
}

// former are the two passwords before the current one, as far as the policy remembers them.
func (a *Account) former(p Policy) []Stored {
	n := min(len(a.Passwords), p.History, rememberedAtLeast)
	return a.Passwords[min(1, n):n]
}

// countAtLogon counts a wrong password, unless it is one of the two before the current.
func (a *Account) countAtLogon(p Policy, now time.Time, password string) {
	for _, old := range a.former(p) {
		if old.Is(password) {
			return
		}
	}
	a.CountWrong(p, now)
}

// CountWrong counts a wrong password and locks the account when they are enough. Where none are ever enough,
// nothing is counted: MS-SAMR speaks of a threshold above 0 only.
func (a *Account) CountWrong(p Policy, now time.Time) {
	if p.LockoutThreshold <= 0 {
		return
	}
	lockoutRanOut := !a.LockoutTime.IsZero() && a.BadTime.Before(a.LockoutTime.Add(p.LockoutDuration))
	if now.Sub(a.BadTime) > p.LockoutWindow || lockoutRanOut {
		a.BadCount = 0
	}
	a.BadCount++
	a.BadTime = now
	if a.BadCount >= p.LockoutThreshold {
		a.LockoutTime = now
	}
}

// withinLogonHours reads logonHours, whose bits count the hours of the week in UTC.
func (a *Account) withinLogonHours(now time.Time) bool {
	if len(a.LogonHours) != hoursOfWeek/8 {
		return true
	}
	now = now.UTC()
	hour := int(now.Weekday())*24 + now.Hour()
	return a.LogonHours[hour/8]&(1<<(hour%8)) != 0
}
