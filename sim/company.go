package sim

import (
	"crypto/rand"
	"fmt"
	"time"

	"passback/fakead"
	"passback/sim/cloud"
)

// The built-in company: a person in every state that a reset, a change or an unlock can meet. Passwords are drawn
// anew at each start.

// A Person is one of the company, for the pages and the ready file.
type Person struct {
	UPN      string
	Password string // as it was seeded
	Shows    string // what trying it shows
}

const day = 24 * time.Hour

// person is a row of the table.
type person struct {
	given, surname string // SAM is the given name in lower case
	shows          string
	age            time.Duration // of the password
	with           func(*fakead.User)
	cloud          cloud.Assignment
	federated      bool
}

// scopeGroup is for a tenant whose password reset is on for selected people.
const scopeGroup = "SSPR-Users"

var company = []person{
	{given: "Alice", surname: "Adams", age: 10 * day, shows: "an ordinary person: everything works"},
	{given: "Bob", surname: "Baker", age: 20 * day, shows: "another one"},
	{given: "Carol", surname: "Clark", age: 10 * day, shows: "locked out: unlock, or reset, which unlocks too",
		with: func(u *fakead.User) { u.Locked = true }},
	{given: "Dave", surname: "Dunn", age: 60 * day, shows: "password expired: signing in asks for a new one"},
	{given: "Erin", surname: "Evans", age: 10 * day, shows: "must change the password at the next sign-in",
		with: func(u *fakead.User) { u.MustChange = true }},
	{given: "Frank", surname: "Foster", age: 10 * day, shows: "disabled in the directory: refused",
		with: func(u *fakead.User) { u.Disabled = true }},
	{given: "Grace", surname: "Green", age: 10 * day, shows: "a domain administrator (adminCount 1): resets are refused, by design",
		with: func(u *fakead.User) { u.Groups = append(u.Groups, "Domain Admins") }},
	{given: "Heidi", surname: "Hall", age: 10 * day, shows: "\"User cannot change password\": a change is refused, a reset is not",
		with: func(u *fakead.User) { u.CannotChange = true }},
	{given: "Ivan", surname: "Irving", age: time.Hour, shows: "password set an hour ago: refused for the minimum age of a day"},
	{given: "Judy", surname: "Jones", age: 10 * day, federated: true, shows: "federated: the directory checks each sign-in"},
	{given: "Ken", surname: "King", age: 60 * day, federated: true, shows: "federated, and the password has expired"},
	{given: "Laura", surname: "Lewis", age: 400 * day, shows: "password never expires: a temporary one cannot be forced to be changed",
		with: func(u *fakead.User) { u.NeverExpires = true }},
	{given: "Mallory", surname: "Moore", age: 10 * day, shows: "no licence: SSPR_0012", cloud: cloud.Assignment{Unlicensed: true}},
	{given: "Niaj", surname: "Nolan", age: 10 * day, shows: "registered no way to prove who he is: SSPR_0014", cloud: cloud.Assignment{Unregistered: true}},
	{given: "Olivia", surname: "Owen", age: 10 * day, shows: "outside of the group " + scopeGroup + ": SSPR_0013 once the scope is that group"},
	{given: "Peggy", surname: "Price", age: 10 * day, shows: "used other passwords before: those of her history are refused",
		with: func(u *fakead.User) { u.OldPasswords = []string{randomPassword(), randomPassword()} }},
	{given: "Quentin", surname: "Quinn", age: 10 * day, shows: "signs in with a smart card: his password works nowhere on-premises",
		with: func(u *fakead.User) { u.SmartcardRequired = true }},
	{given: "Rupert", surname: "Reed", age: 10 * day, shows: "the account has expired, which the cloud does not know",
		with: func(u *fakead.User) { u.AccountExpires = u.PasswordSet }},
	{given: "Sybil", surname: "Stone", age: 10 * day, shows: "moved from another forest: found by mS-DS-ConsistencyGuid",
		with: func(u *fakead.User) {
			u.Attributes = map[string][]string{"mS-DS-ConsistencyGuid": {string(randomGUID())}}
		}},
	{given: "Zoë", surname: "Åström", age: 10 * day, shows: "a name beyond ASCII",
		with: func(u *fakead.User) { u.SAM, u.UPN = "zoe", "zoe@"+domainOf(u.UPN) }},
}

// cloudPeople are those whom no directory knows.
var cloudPeople = []struct {
	name, display, shows string
	admin                bool
}{
	{"walter", "Walter White", "cloud-only: the password is the cloud's own, nothing is written back", false},
	{"admin", "Tenant Administrator", "may reset others", true},
}

const adminName = "admin"

// randomPassword is of every category, and holds no word.
func randomPassword() string { return "Aa1-" + rand.Text()[:14] }

func randomGUID() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // never fails: it ends the program instead
	return id
}

// users are the company's as the directory is to hold them, with passwords of this start.
func users(domain string, now time.Time) []fakead.User {
	list := make([]fakead.User, 0, len(company))
	for _, p := range company {
		sam := lower(p.given)
		u := fakead.User{
			SAM: sam, UPN: sam + "@" + domain, Given: p.given, Surname: p.surname, OU: "OU=People",
			Password: randomPassword(), PasswordSet: now.Add(-p.age),
		}
		if p.federated {
			u.UPN = sam + "@" + federatedDomain(domain)
		}
		if p.given != "Olivia" {
			u.Groups = []string{scopeGroup}
		}
		if p.with != nil {
			p.with(&u)
		}
		list = append(list, u)
	}
	return list
}

// federatedDomain is a UPN suffix of its own, as federation goes by domains.
func federatedDomain(domain string) string { return "fed." + domain }

// seedDirectory puts the company, its group and its policy into a new domain.
func seedDirectory(ad *fakead.Server, list []fakead.User) error {
	p := fakead.DefaultPolicy()
	p.LockoutThreshold, p.LockoutDuration = 5, 0 // until somebody unlocks, so that a locked person stays one
	ad.SetPolicy(p)
	if err := ad.AddOU("OU=People"); err != nil {
		return fmt.Errorf("seed the company: %w", err)
	}
	if err := ad.AddGroup(fakead.Group{SAM: scopeGroup, OU: "OU=People"}); err != nil {
		return fmt.Errorf("seed the company: %w", err)
	}
	for _, u := range list {
		if err := ad.AddUser(u); err != nil {
			return fmt.Errorf("seed the company: %w", err)
		}
	}
	return nil
}
