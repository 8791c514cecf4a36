package cloud

import (
	"context"
	"time"

	"passback/writeback/protocol"
)

// Sign-in, as far as a password goes. A hash-synchronised user's is checked against the cloud's copy; while there is
// none (never learnt, or the directory's password has changed since) the directory is asked, and a right password
// is learnt. A federated user's is always checked by the directory. Codes are those of Entra's AADSTS reference.

// SignInStatus is how a sign-in ended.
type SignInStatus string

// The statuses.
const (
	SignedIn            SignInStatus = "signedIn"
	SignInChange        SignInStatus = "passwordChangeRequired" // right password: expired, or must be changed
	SignInWrong         SignInStatus = "wrongPassword"
	SignInUnknownUser   SignInStatus = "unknownUser"
	SignInDisabled      SignInStatus = "disabled"
	SignInLocked        SignInStatus = "locked"
	SignInBarred        SignInStatus = "barred"      // the directory lets nobody in: account expired, or outside of its hours
	SignInUnreachable   SignInStatus = "unreachable" // the directory could not be asked
	aadstsExpired                    = 50055
	aadstsExpiredOnPrem              = 50144
)

// A SignIn is the answer to a name and a password.
type SignIn struct {
	User      string       `json:"user"`
	Status    SignInStatus `json:"status"`
	AADSTS    int          `json:"aadsts,omitempty"`
	Text      string       `json:"text"`
	CheckedBy string       `json:"checkedBy,omitempty"` // cloud or directory
}

var signInTexts = map[SignInStatus]struct {
	aadsts int
	text   string
}{
	SignedIn:          {0, "Signed in."},
	SignInChange:      {aadstsExpired, "Your password has expired or is temporary: choose a new one."},
	SignInWrong:       {50126, "The name or the password is not right."},
	SignInUnknownUser: {50034, "There is no account of this name."},
	SignInDisabled:    {50057, "This account is disabled."},
	SignInLocked:      {50053, "This account is locked. Wait, or reset or unlock it."},
	SignInBarred:      {50105, "The directory does not let this account in: it has expired, or may not sign in at this hour."},
	SignInUnreachable: {80002, "The directory that checks this password cannot be reached. Try again later."},
}

func (s SignIn) with(status SignInStatus, checkedBy string) SignIn {
	text := signInTexts[status]
	s.Status, s.AADSTS, s.Text, s.CheckedBy = status, text.aadsts, text.text, checkedBy
	return s
}

const (
	byCloud     = "cloud"
	byDirectory = "directory"
)

// SignIn checks a name and a password. It says passwordChangeRequired only where the password is right.
func (t *Tenant) SignIn(ctx context.Context, upn string, password protocol.Secret) SignIn {
	t.mu.Lock()
	a := t.find(upn)
	if a == nil {
		t.mu.Unlock()
		return SignIn{User: upn}.with(SignInUnknownUser, "")
	}
	s := SignIn{User: a.UPN}
	if !a.Enabled {
		t.mu.Unlock()
		return s.with(SignInDisabled, byCloud)
	}
	if a.Model == CloudOnly || a.Model == HashSynchronised && !a.copy.empty() {
		defer t.mu.Unlock()
		return s.with(t.checkCopy(a, password), byCloud)
	}
	user := a.User
	t.mu.Unlock()
	return t.askDirectory(ctx, s, user, password)
}

// checkCopy needs t.mu.
func (t *Tenant) checkCopy(a *account, password protocol.Secret) SignInStatus {
	if !a.copy.is(password) {
		return SignInWrong
	}
	if t.changeDue(a) {
		return SignInChange
	}
	return SignedIn
}

// changeDue needs t.mu. What a directory says of a password's age reaches the cloud only where the tenant says so.
func (t *Tenant) changeDue(a *account) bool {
	expired := !a.fromAD.expires.IsZero() && !t.clock.Now().Before(a.fromAD.expires)
	return a.mustChange ||
		a.fromAD.mustChange && t.settings.MustChangeReachesCloud ||
		expired && t.settings.ExpiryReachesCloud
}

func (t *Tenant) askDirectory(ctx context.Context, s SignIn, user User, password protocol.Secret) SignIn {
	d := t.directory(user.Domain)
	if d == nil {
		return s.with(SignInUnreachable, byDirectory)
	}
	said, err := d.check(ctx, user.DN, password)
	if err != nil {
		t.log.Warn("a sign-in could not be checked", "user", user.UPN, "error", err)
		return s.with(SignInUnreachable, byDirectory)
	}
	if user.Model == Federated {
		s = s.with(federatedStatus[said], byDirectory)
		if s.Status == SignInChange {
			s.AADSTS = aadstsExpiredOnPrem
		}
		return s
	}
	return s.with(t.learn(user.ID, said, password), byDirectory)
}

var federatedStatus = map[verdict]SignInStatus{
	bound: SignedIn, wrongPassword: SignInWrong, passwordExpired: SignInChange, passwordMustChange: SignInChange,
	accountLocked: SignInLocked, accountDisabled: SignInDisabled, accountBarred: SignInBarred,
}

// previousPasswordGrace is how long a directory still lets the previous password in (OldPasswordAllowedPeriod).
const previousPasswordGrace = time.Hour

// learn keeps a copy of a password that the directory knows to be right, as hash synchronisation would have brought
// it: whether the account has expired or is at its hours is not synchronised, so it does not matter here.
func (t *Tenant) learn(id string, said verdict, password protocol.Secret) SignInStatus {
	switch said {
	case wrongPassword, accountLocked, accountDisabled:
		return federatedStatus[said]
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.accounts[id]
	if a == nil {
		return SignInUnknownUser
	}
	if said == bound && t.clock.Now().Sub(fileTime(a.fromAD.lastSet)) < previousPasswordGrace {
		return SignedIn // with this password or the one before it: which, a bind does not tell
	}
	if a.copy.empty() { // a reset may have set it meanwhile, and that one is newer
		a.copy = newCopy(password)
	}
	switch said {
	case passwordMustChange:
		a.fromAD.mustChange = true
	case passwordExpired:
		a.fromAD.expires = t.clock.Now()
	}
	return t.checkCopy(a, password)
}
