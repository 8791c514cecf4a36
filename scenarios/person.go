package scenarios

import (
	"time"

	"passback/writeback/protocol"
)

// A Person to seed. The zero value is an ordinary enabled one, hash-synchronised, who can be reset at once; unset names
// and the password are drawn at random.
type Person struct {
	Password    protocol.Secret
	SAM         string // sAMAccountName
	DisplayName string
	Federated   bool // the sign-in of the person's domain is federated; else passwords are hash-synchronised

	MustChange   bool // at next sign-in
	NeverExpires bool // the password
	CannotChange bool // "user cannot change password"
	Protected    bool // adminCount is 1
	Locked       bool // by wrong passwords; the policy must have a lockout threshold
}

// A User is a seeded person.
type User struct {
	UPN, SAM, DN string
	CloudID      string // object id in the cloud
	Federated    bool
	Password     protocol.Secret // that was seeded
}

// An Alteration of a person, in the directory alone. Each field that is set is one change.
type Alteration struct {
	Disable bool
	Delete  bool
	// Administrator: becomes a member of Domain Admins, whom AdminSDHolder's pass protects within the hour.
	Administrator    bool
	BlockInheritance bool  // the account inherits no rights from above
	TwinOf           *User // takes over that user's source anchor (mS-DS-ConsistencyGuid), so that both carry it
}

// A Policy of the domain. Every scenario starts with DefaultPolicy.
type Policy struct {
	MinLength        int
	Complexity       bool
	History          int
	MinAge           time.Duration
	MaxAge           time.Duration // 0: never
	LockoutThreshold int           // 0: never; duration and window are 30 minutes
}

// DefaultPolicy is that of a new domain, but for the ages: a seeded person can be reset at once, and nobody expires.
var DefaultPolicy = Policy{MinLength: 7, Complexity: true, History: 24}

// An Account is a person's state in the directory, read by LDAP.
type Account struct {
	Exists      bool
	Locked      bool
	MustChange  bool      // pwdLastSet is 0
	PasswordSet time.Time // pwdLastSet; zero if that is 0
	Writes      int       // password writes so far (msDS-KeyVersionNumber)
	BadCount    int       // wrong passwords counted
	Markers     []protocol.Marker
}

// A Bind is what the directory said to a simple bind.
type Bind struct {
	Accepted bool
	Data     string // Active Directory's sub-code in hex, such as 52e (wrong password), 773 (must change), 775 (locked)
}

// The sub-codes of a refused bind.
const (
	BindWrongPassword = "52e"
	BindExpired       = "532"
	BindDisabled      = "533"
	BindMustChange    = "773"
	BindLocked        = "775"
)

// A SignIn is what the cloud's sign-in said.
type SignIn struct {
	Accepted   bool
	MustChange bool // accepted, but the password must be changed first
}
