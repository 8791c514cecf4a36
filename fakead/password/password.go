// Package password decides about passwords as Active Directory does: whether a new one is acceptable, whether a
// bind is let in, when an account is locked. It works on values and a time that it is given; it knows nothing of
// LDAP or of where accounts are kept.
//
// Sources: MS-SAMR 3.1.1.7 (constraints) and 3.1.1.8 (attribute triggers), MS-ADTS 3.1.1.4.5 (computed values),
// and, for counting and precedence, what a real server was measured to do.
package password

import (
	"crypto/rand"
	"time"
)

// A Policy is a domain's rules for passwords and lockout.
type Policy struct {
	MinLength  int           // characters, in UTF-16 units
	Complexity bool          // three of five categories, and none of the account's names
	History    int           // how many passwords, the current one included, may not be used again
	MinAge     time.Duration // before a password may be changed; a reset may come sooner
	MaxAge     time.Duration // before it expires; 0: never

	LockoutThreshold int           // wrong passwords that lock an account; 0: none do
	LockoutDuration  time.Duration // 0: until an administrator unlocks it
	LockoutWindow    time.Duration // after which counting starts again
}

// DefaultPolicy is that of a new domain: seven characters, complex, 24 remembered, changed after a day at the
// earliest and 42 at the latest, no lockout.
func DefaultPolicy() Policy {
	const day = 24 * time.Hour
	return Policy{
		MinLength: 7, Complexity: true, History: 24, MinAge: day, MaxAge: 42 * day,
		LockoutDuration: 30 * time.Minute, LockoutWindow: 30 * time.Minute,
	}
}

// The bits of userAccountControl that decide something here (MS-ADTS 2.2.16).
const (
	AccountDisabled    = 0x2
	LockedOut          = 0x10 // computed, never stored
	NotRequired        = 0x20
	NormalAccount      = 0x200
	InterdomainTrust   = 0x800
	WorkstationTrust   = 0x1000
	ServerTrust        = 0x2000
	DontExpire         = 0x10000
	SmartcardRequired  = 0x40000
	Expired            = 0x800000 // computed, never stored
	trustAccounts      = InterdomainTrust | WorkstationTrust | ServerTrust
	exemptFromMaxAge   = DontExpire | SmartcardRequired | trustAccounts
	maxLength          = 256              // characters of any password, MS-SAMR 3.1.1.7.2
	graceForOld        = 60 * time.Minute // OldPasswordAllowedPeriod's default
	rememberedAtLeast  = 3                // current, N-1 and N-2, which wrong passwords are compared with
	hoursOfWeek        = 7 * 24           // bits of logonHours
	logonTimestampSync = 14 * 24 * time.Hour
)

// An Account is what decisions are made on.
type Account struct {
	Name        string // sAMAccountName
	DisplayName string
	Control     uint32   // userAccountControl
	Passwords   []Stored // the current one first; none: no password was ever set

	LastSet       time.Time // pwdLastSet; zero: the password must be changed
	Expires       time.Time // accountExpires; zero: never
	LogonHours    []byte    // 21 bytes, a bit an hour from Sunday 00:00 UTC; none: always
	ElsewhereOnly bool      // userWorkstations does not name the domain controller, where an LDAP bind happens
	BadCount      int       // badPwdCount
	BadTime       time.Time // badPasswordTime
	LockoutTime   time.Time // zero: not locked
	LastLogon     time.Time // lastLogonTimestamp
	LastLogonHere time.Time // lastLogon, which is not replicated
}

// Locked tells whether the account is locked out now. A lockout that ran out stays stored until a good bind.
func (a *Account) Locked(p Policy, now time.Time) bool {
	if a.LockoutTime.IsZero() {
		return false
	}
	return p.LockoutDuration <= 0 || now.Before(a.LockoutTime.Add(p.LockoutDuration))
}

// MustChange tells whether the password has to be changed before the next logon.
func (a *Account) MustChange() bool {
	return a.LastSet.IsZero() && a.Control&exemptFromMaxAge == 0
}

// Expired tells whether the password must be changed or is older than the policy's maximum age.
func (a *Account) Expired(p Policy, now time.Time) bool {
	if a.Control&exemptFromMaxAge != 0 {
		return false
	}
	if a.LastSet.IsZero() {
		return true
	}
	return p.MaxAge > 0 && now.Sub(a.LastSet) > p.MaxAge
}

// ComputedControl is msDS-User-Account-Control-Computed.
func (a *Account) ComputedControl(p Policy, now time.Time) uint32 {
	var bits uint32
	if a.Locked(p, now) {
		bits |= LockedOut
	}
	if a.Expired(p, now) {
		bits |= Expired
	}
	return bits
}

// ExpiryTime is msDS-UserPasswordExpiryTimeComputed: when the password expires. never and mustChange are its
// two special values.
func (a *Account) ExpiryTime(p Policy) (at time.Time, never, mustChange bool) {
	switch {
	case a.Control&exemptFromMaxAge != 0:
		return time.Time{}, true, false
	case a.LastSet.IsZero():
		return time.Time{}, false, true
	case p.MaxAge <= 0:
		return time.Time{}, true, false
	default:
		return a.LastSet.Add(p.MaxAge), false, false
	}
}

// Unlock is a write of 0 to lockoutTime.
func (a *Account) Unlock() {
	a.LockoutTime = time.Time{}
	a.BadCount = 0
}

// Set stores a new password. mustChange leaves pwdLastSet at 0.
func (a *Account) Set(p Policy, now time.Time, password string, mustChange bool) {
	a.Passwords = append([]Stored{Store(password)}, a.Passwords...)
	a.Passwords = a.Passwords[:min(len(a.Passwords), max(p.History, rememberedAtLeast))]
	a.LastSet = now
	if mustChange {
		a.LastSet = time.Time{}
	}
}

// Randomise puts a password that nobody knows in the place of the current one: what becomes of an account that a
// smart card is required of. It counts as no change.
func (a *Account) Randomise() {
	a.Passwords = append([]Stored{Store(rand.Text())}, a.Passwords[min(1, len(a.Passwords)):]...)
}

// Is tells whether the current password is this one.
func (a *Account) Is(password string) bool {
	return len(a.Passwords) > 0 && a.Passwords[0].Is(password)
}
