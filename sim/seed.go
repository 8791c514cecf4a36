package sim

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"

	"passback/fakead"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// People are those of the built-in company, the ordinary one first, and with whom it is worth trying something.
func (w *World) People() []Person {
	var list []Person
	if len(w.people) > 0 { // of the company
		for i, u := range w.people {
			list = append(list, Person{UPN: u.UPN, Password: u.Password, Shows: company[i].shows})
		}
	}
	for _, s := range w.cloudOnly {
		list = append(list, Person{UPN: s.user.UPN, Password: s.password.Reveal(), Shows: s.shows})
	}
	return list
}

// seedCloud gives the tenant its own users, and the company's what an administrator assigned.
func (w *World) seedCloud() {
	if w.cloudOnly == nil {
		for _, p := range cloudPeople {
			if w.options.EmptyCompany && !p.admin {
				continue
			}
			w.cloudOnly = append(w.cloudOnly, cloudSeed{
				user:  cloud.User{ID: uuid.NewString(), UPN: p.name + "@" + w.options.Domain, DisplayName: p.display},
				shows: p.shows, admin: p.admin, password: protocol.NewSecret(randomPassword()),
			})
		}
	}
	for _, s := range w.cloudOnly {
		w.Cloud.AddCloudUser(s.user, s.password)
		w.Cloud.SetAssignment(s.user.UPN, cloud.Assignment{Admin: s.admin})
	}
	for i, u := range w.people {
		w.Cloud.SetAssignment(u.UPN, company[i].cloud)
	}
}

// AdminUPN is the tenant's administrator, whose Graph token is that of "admin".
func (w *World) AdminUPN() string { return adminName + "@" + w.options.Domain }

// Reset puts company, policy, settings and faults back to what they were at the start. Passwords, object ids, tokens
// and enrolled agents stay, since others hold them; the clock never goes back. Whoever was added to the directory is
// gone from it.
func (w *World) Reset(ctx context.Context) error {
	w.resetting.Lock()
	defer w.resetting.Unlock()
	if w.Directory == nil {
		return fmt.Errorf("the directory is not the built-in one: what is in it stays")
	}
	w.DisarmFaults()
	if err := w.clearDirectory(); err != nil {
		return fmt.Errorf("clear the directory: %w", err)
	}
	w.Directory.SetPolicyHints(true)
	w.Directory.SetPolicy(fakead.DefaultPolicy())
	if err := w.Directory.SetPassword(serviceAccount, w.directory.Password.Reveal(), time.Time{}); err != nil {
		return fmt.Errorf("reset the service account: %w", err)
	}
	if err := w.delegate(); err != nil {
		return err
	}
	if !w.options.EmptyCompany {
		for i := range w.people {
			w.people[i].PasswordSet = w.Clock.Now().Add(-company[i].age)
		}
		if err := seedDirectory(w.Directory, w.people); err != nil {
			return err
		}
	}
	if err := w.Cloud.Reset(*w.options.Settings); err != nil {
		return fmt.Errorf("reset the tenant: %w", err)
	}
	w.seedCloud()
	if w.options.Unconfigured {
		return nil
	}
	return w.Synchronise(ctx)
}

const everyone = "(|(&(objectCategory=person)(objectClass=user))(objectClass=group)(objectClass=organizationalUnit))"

// entries lists the directory's users, groups and OUs, as its administrator sees them.
func (w *World) entries(conn *ldap.Conn) ([]string, error) {
	r := ldap.NewSearchRequest(w.Directory.BaseDN(), ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, everyone, []string{"1.1"}, nil)
	found, err := conn.SearchWithPaging(r, 500)
	if err != nil {
		return nil, fmt.Errorf("list the directory: %w", err)
	}
	names := make([]string, 0, len(found.Entries))
	for _, e := range found.Entries {
		names = append(names, strings.ToLower(e.DN))
	}
	return names, nil
}

func (w *World) administer(do func(*ldap.Conn) error) error {
	conn, err := w.directory.Connect(w.ctx)
	if err != nil {
		return fmt.Errorf("reach the directory: %w", err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Bind(w.Directory.AdminDN(), w.Directory.AdminPassword()); err != nil {
		return fmt.Errorf("bind as the directory's administrator: %w", err)
	}
	return do(conn)
}

// rememberEmpty keeps what a new domain holds, so that a reset knows what was added.
func (w *World) rememberEmpty() error {
	return w.administer(func(conn *ldap.Conn) error {
		names, err := w.entries(conn)
		w.empty = map[string]bool{}
		for _, name := range names {
			w.empty[name] = true
		}
		return err
	})
}

func (w *World) clearDirectory() error {
	return w.administer(func(conn *ldap.Conn) error {
		names, err := w.entries(conn)
		if err != nil {
			return err
		}
		for i := range names { // an entry is listed after what it lies in
			name := names[len(names)-1-i]
			if w.empty[name] {
				continue
			}
			if err := conn.Del(ldap.NewDelRequest(name, nil)); err != nil {
				return fmt.Errorf("delete %s: %w", name, err)
			}
		}
		return nil
	})
}
