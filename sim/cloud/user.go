package cloud

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"passback/writeback/protocol"
)

// SignInModel is who checks a user's password at a sign-in.
type SignInModel string

// The models. Pass-through authentication is left out: to writeback it is federation with another name.
const (
	CloudOnly        SignInModel = "cloudOnly"
	HashSynchronised SignInModel = "hashSynchronised"
	Federated        SignInModel = "federated"
)

// A User is what the tenant shows of one of its users.
type User struct {
	ID           string // object id
	UPN          string
	DisplayName  string
	GivenName    string
	Surname      string
	Enabled      bool
	Model        SignInModel
	Domain       string // DNS name of the directory that the user came from; empty for cloud-only users
	DN           string // there
	GUID         string // objectGUID there, its bytes in hex
	SourceAnchor string // base64 of mS-DS-ConsistencyGuid, or else of objectGUID; empty for cloud-only users
	Groups       []string
	Licensed     bool
	Methods      []string // registered for self-service
	Admin        bool     // may reset others
	LastSynced   time.Time
}

// CloudAnchor is the name by which the sync engine knows the user.
func (u User) CloudAnchor() string { return "User_" + u.ID }

// names are those that an operation of the user is found by: the tenant's, and the directory's two, in lower case.
func (u User) names() []string {
	return []string{u.ID, strings.ToLower(u.DN), strings.ToLower("<GUID=" + u.GUID + ">")}
}

// Assignment is what an administrator gives one user in the tenant. SetAssignment replaces it whole; a user
// without one is licensed and has registered every method that the tenant allows.
type Assignment struct {
	Unlicensed   bool
	Unregistered bool // has no method to prove who they are
	Admin        bool
}

// account is a user with what the tenant never shows.
type account struct {
	User
	copy       passwordCopy // of the password; empty until it is learnt
	copyAt     time.Time    // when a written-back password became the copy: domain time; zero: it came otherwise
	mustChange bool         // set by an administrator in the cloud
	fromAD     directoryPassword
}

// directoryPassword is what a synchronisation tells of a password: never the password.
type directoryPassword struct {
	lastSet    string    // pwdLastSet as it was read
	mustChange bool      // pwdLastSet 0
	expires    time.Time // zero: never
}

// Users returns every user, by UPN.
func (t *Tenant) Users() []User {
	t.mu.Lock()
	defer t.mu.Unlock()
	users := make([]User, 0, len(t.accounts))
	for _, a := range t.accounts {
		users = append(users, a.shown())
	}
	slices.SortFunc(users, func(a, b User) int { return strings.Compare(a.UPN, b.UPN) })
	return users
}

// User finds one by object id or UPN, in any case.
func (t *Tenant) User(idOrUPN string) (User, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	a := t.find(idOrUPN)
	if a == nil {
		return User{}, false
	}
	return a.shown(), true
}

// AddCloudUser adds a user whom no directory knows, with a password of the cloud's own. An empty ID is drawn.
func (t *Tenant) AddCloudUser(u User, password protocol.Secret) User {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u.ID == "" {
		u.ID = uuid.NewString()
	}
	u.Model, u.Enabled = CloudOnly, true
	a := &account{User: u, copy: newCopy(password)}
	t.assign(a)
	t.accounts[u.ID] = a
	t.index()
	return a.shown()
}

// SetAssignment gives a user licence, registration and role, also one who has yet to be synchronised.
func (t *Tenant) SetAssignment(upn string, as Assignment) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.assignments[strings.ToLower(upn)] = as
	if a := t.find(upn); a != nil {
		t.assign(a)
	}
}

// assign needs t.mu.
func (t *Tenant) assign(a *account) {
	as := t.assignments[strings.ToLower(a.UPN)]
	a.Licensed, a.Admin, a.Methods = !as.Unlicensed, as.Admin, nil
	if !as.Unregistered {
		a.Methods = slices.Clone(t.settings.Methods)
	}
}

// find needs t.mu.
func (t *Tenant) find(idOrUPN string) *account {
	name := strings.ToLower(idOrUPN)
	if a := t.accounts[name]; a != nil {
		return a
	}
	return t.byUPN[name]
}

// index makes the accounts be found by UPN, after any was added, renamed or removed, and needs t.mu.
func (t *Tenant) index() {
	t.byUPN = make(map[string]*account, len(t.accounts))
	for _, a := range t.accounts {
		t.byUPN[strings.ToLower(a.UPN)] = a
	}
}

func (a *account) shown() User {
	u := a.User
	u.Methods = slices.Clone(a.Methods)
	u.Groups = slices.Clone(a.Groups)
	return u
}
