package fakead

// Seeding a directory from Go: organisational units, users in any state, groups.

import (
	"crypto/rand"
	"fmt"
	"strconv"
	"strings"
	"time"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// A User is an account to add. Only SAM is required.
type User struct {
	SAM         string
	Name        string // CN; default: DisplayName, else SAM
	UPN         string // default: SAM@domain
	Given       string
	Surname     string
	DisplayName string // default: Given and Surname
	OU          string // where it lies, with or without the domain's DN; default CN=Users

	Password     string    // default: none, so that nobody can bind
	OldPasswords []string  // the history, oldest first
	PasswordSet  time.Time // pwdLastSet; default: now

	Disabled          bool
	Locked            bool // as of now
	MustChange        bool // pwdLastSet 0
	NeverExpires      bool
	CannotChange      bool // "User cannot change password"
	SmartcardRequired bool
	AccountExpires    time.Time // default: never

	Groups     []string            // sAMAccountNames; AdminSDHolder protects the members of some, and whoever has adminCount 1, at once
	Attributes map[string][]string // any others
}

// Format keeps the passwords out of logs, whatever the verb.
func (u User) Format(f fmt.State, _ rune) { _, _ = fmt.Fprintf(f, "user %s", u.SAM) }

// AddUser adds an account, enabled unless it says otherwise.
func (s *Server) AddUser(u User) error {
	s.mu.Lock()
	defer s.unlock()
	u = s.withUserDefaults(u)
	values := []tree.Value{tree.Strings("objectClass", "user"), tree.Strings("sAMAccountName", u.SAM)}
	for name, value := range map[string]string{"userPrincipalName": u.UPN, "givenName": u.Given, "sn": u.Surname, "displayName": u.DisplayName} {
		if value != "" {
			values = append(values, tree.Strings(name, value))
		}
	}
	for name, list := range u.Attributes {
		values = append(values, tree.Strings(name, list...))
	}
	e, err := s.addEntry("CN", u.Name, u.OU, values)
	if err != nil {
		return fmt.Errorf("add user %s: %w", u.SAM, err)
	}
	s.tree.AsMade(func() { s.tree.Set(e, "userAccountControl", strconv.Itoa(u.control())) })
	for _, group := range u.Groups {
		if err := s.join(group, e); err != nil {
			return fmt.Errorf("add user %s: %w", u.SAM, err)
		}
	}
	s.tree.AsMade(func() { s.giveAccount(e, u) })
	if u.CannotChange {
		if err := s.forbidChange(e, true); err != nil {
			return fmt.Errorf("add user %s: %w", u.SAM, err)
		}
	}
	if s.isProtected(e) || e.First("adminCount") == "1" {
		s.protectAdministrator(e)
	}
	return nil
}

func (s *Server) withUserDefaults(u User) User {
	if u.UPN == "" {
		u.UPN = u.SAM + "@" + s.domain
	}
	if u.DisplayName == "" {
		u.DisplayName = strings.TrimSpace(u.Given + " " + u.Surname)
	}
	if u.Name == "" {
		u.Name = u.DisplayName
	}
	if u.Name == "" {
		u.Name = u.SAM
	}
	if u.OU == "" {
		u.OU = "CN=Users"
	}
	return u
}

// giveAccount sets the password and the state of a new account.
func (s *Server) giveAccount(e *tree.Entry, u User) {
	now, policy := s.clock.Now(), s.policyFor(e)
	account := loadAccount(e)
	before := *account
	for _, old := range u.OldPasswords {
		account.Set(policy, time.Time{}, old, false)
	}
	if u.Password != "" {
		set := now
		if !u.PasswordSet.IsZero() {
			set = u.PasswordSet
		}
		account.Set(policy, set, u.Password, u.MustChange)
	}
	if u.SmartcardRequired {
		account.Set(policy, now, rand.Text(), false) // as a domain controller does
	}
	if u.Locked {
		account.BadCount, account.BadTime, account.LockoutTime = max(policy.LockoutThreshold, 1), now, now
	}
	saveAccount(s.setter(e), &before, account)
	if !u.AccountExpires.IsZero() {
		s.tree.Set(e, "accountExpires", strconv.FormatInt(fileTime(u.AccountExpires), 10))
	}
}

func (u User) control() int {
	control := password.NormalAccount
	for bit, set := range map[int]bool{
		password.AccountDisabled: u.Disabled, password.DontExpire: u.NeverExpires, password.SmartcardRequired: u.SmartcardRequired,
	} {
		if set {
			control |= bit
		}
	}
	return control
}

// setter is Tree.Set on one entry.
func (s *Server) setter(e *tree.Entry) func(name string, values ...string) {
	return func(name string, values ...string) { s.tree.Set(e, name, values...) }
}

// A Group is a global security group to add.
type Group struct {
	SAM     string
	OU      string   // where it lies, with or without the domain's DN; default CN=Users
	Members []string // sAMAccountNames, of users or groups
}

// AddGroup adds a group.
func (s *Server) AddGroup(g Group) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g.OU == "" {
		g.OU = "CN=Users"
	}
	if _, err := s.addEntry("CN", g.SAM, g.OU, []tree.Value{tree.Strings("objectClass", "group"), tree.Strings("sAMAccountName", g.SAM)}); err != nil {
		return fmt.Errorf("add group %s: %w", g.SAM, err)
	}
	for _, member := range g.Members {
		e := s.tree.BySAM(member)
		if e == nil {
			return fmt.Errorf("add group %s: member %s: %w", g.SAM, member, ErrNoSuchObject)
		}
		if err := s.join(g.SAM, e); err != nil {
			return fmt.Errorf("add group %s: %w", g.SAM, err)
		}
	}
	return nil
}

// AddOU adds an organisational unit: "OU=Sales,OU=People", with or without the domain's DN.
func (s *Server) AddOU(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	dn, err := s.absolute(name)
	if err == nil && len(dn) == 0 {
		err = tree.ErrDNSyntax
	}
	if err != nil {
		return fmt.Errorf("add OU %q: %w", name, err)
	}
	if _, err := s.tree.Add(dn, []tree.Value{tree.Strings("objectClass", "organizationalUnit")}, tree.Rules{}); err != nil {
		return fmt.Errorf("add OU %q: %w", name, err)
	}
	return nil
}

func (s *Server) addEntry(rdn, name, container string, values []tree.Value) (*tree.Entry, error) {
	parent, err := s.absolute(container)
	if err != nil {
		return nil, err
	}
	e, err := s.tree.Add(parent.Child(rdn, name), values, tree.Rules{})
	if err != nil {
		return nil, fmt.Errorf("below %s: %w", parent, err)
	}
	return e, nil
}

// absolute completes a name that leaves out the domain's.
func (s *Server) absolute(name string) (tree.DN, error) {
	dn, err := tree.ParseDN(name)
	if err != nil {
		return nil, fmt.Errorf("read the name %q: %w", name, err)
	}
	if !dn.Under(s.tree.Base()) {
		dn = append(dn, s.tree.Base()...)
	}
	return dn, nil
}

func (s *Server) join(group string, e *tree.Entry) error {
	g := s.tree.BySAM(group)
	if g == nil {
		return fmt.Errorf("group %s: %w", group, ErrNoSuchObject)
	}
	add := []tree.Change{{Op: tree.AddValues, Value: tree.Strings("member", e.DN().String())}}
	if err := s.tree.Modify(g, add, tree.Rules{}); err != nil {
		return fmt.Errorf("join group %s: %w", group, err)
	}
	return nil
}
