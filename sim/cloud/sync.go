package cloud

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"
	"github.com/google/uuid"
)

// The synchronisation: users and groups, read from each directory by paged searches, become users and groups of the
// tenant. It stands for the sync engine's inbound rules and, for passwords, for password hash synchronisation: no
// hash can be read over LDAP, so a password that changed in the directory (another pwdLastSet) makes the cloud
// forget its copy, and the copy is learnt at the next sign-in that the directory accepts. Left out on purpose:
// attribute flows beyond those below, filtering by OU, and export to the directory.

const (
	syncPage   = 500
	userFilter = "(&(objectCategory=person)(objectClass=user)(!(isCriticalSystemObject=TRUE))(userPrincipalName=*))"
	// windowsEpoch is 1601-01-01 in Unix seconds; a directory counts 100 ns from there.
	windowsEpoch = -11644473600
)

var (
	userAttributes = []string{
		"objectGUID", "mS-DS-ConsistencyGuid", "sAMAccountName", "userPrincipalName", "displayName", "givenName", "sn",
		"userAccountControl", "pwdLastSet", "msDS-UserPasswordExpiryTimeComputed",
	}
	groupAttributes = []string{"sAMAccountName", "member"}
)

const accountDisable = 0x2 // of userAccountControl

// A group is what a scope needs of one.
type group struct {
	name, dn string
	members  []string // DNs
}

// A SyncReport counts what a synchronisation found.
type SyncReport struct{ Users, Added, Removed int }

// Sync reads every directory. Users that are gone there are gone here; cloud-only users stay.
func (t *Tenant) Sync(ctx context.Context) (SyncReport, error) {
	t.syncing.Lock()
	defer t.syncing.Unlock()
	var read []*account
	var groups []group
	for _, d := range t.directories {
		users, g, err := d.read(ctx)
		if err != nil {
			return SyncReport{}, fmt.Errorf("synchronise %s: %w", d.Domain, err)
		}
		read, groups = append(read, users...), append(groups, g...)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	report := t.merge(joined(read))
	t.groups = groups
	for _, a := range t.accounts {
		if a.Model != CloudOnly {
			a.Groups = groupsOf(groups, a.DN)
		}
	}
	t.synced = t.clock.Now()
	t.log.Info("users synchronised", "users", report.Users, "added", report.Added, "removed", report.Removed)
	return report, nil
}

// joined keeps one object for each source anchor: of several, the enabled one (rule "In from AD - User
// AccountEnabled"). Several enabled ones are the agent's to refuse.
func joined(read []*account) map[string]*account {
	byAnchor := map[string]*account{}
	for _, a := range read {
		if other := byAnchor[a.SourceAnchor]; other == nil || a.Enabled && !other.Enabled {
			byAnchor[a.SourceAnchor] = a
		}
	}
	return byAnchor
}

// merge needs t.mu.
func (t *Tenant) merge(read map[string]*account) SyncReport {
	report := SyncReport{Users: len(read)}
	known, orphans := map[string]*account{}, map[string]*account{}
	for _, a := range t.accounts {
		switch {
		case a.Model == CloudOnly:
		case read[a.SourceAnchor] == nil:
			orphans[strings.ToLower(a.UPN)] = a
		default:
			known[a.SourceAnchor] = a
		}
	}
	for anchor, fresh := range read {
		a, upn := known[anchor], strings.ToLower(fresh.UPN)
		if a == nil && orphans[upn] != nil { // soft match: deleted and made anew under the same name
			a = orphans[upn]
			delete(orphans, upn)
		}
		if a == nil {
			a = &account{User: User{ID: uuid.NewString()}, fromAD: fresh.fromAD}
			t.accounts[a.ID] = a
			report.Added++
		}
		t.flow(fresh, a)
	}
	for _, a := range orphans {
		delete(t.accounts, a.ID)
		report.Removed++
	}
	t.index()
	return report
}

// flow needs t.mu.
func (t *Tenant) flow(from, to *account) {
	if to.fromAD.lastSet != from.fromAD.lastSet && !to.wroteIt(from.fromAD.lastSet) {
		to.copy, to.copyAt, to.mustChange = passwordCopy{}, time.Time{}, false
	}
	id := to.ID
	to.User, to.fromAD = from.User, from.fromAD
	to.ID, to.Model, to.LastSynced = id, t.settings.model(from.UPN), t.clock.Now()
	t.assign(to)
}

// clockTolerance is for a directory whose clock is not the tenant's.
const clockTolerance = 2 * time.Second

// wroteIt reports whether a new pwdLastSet is the trace of the cloud's own write, so that the copy is the password.
func (a *account) wroteIt(lastSet string) bool {
	if a.copyAt.IsZero() {
		return false
	}
	if lastSet == "0" {
		return a.mustChange
	}
	return !fileTime(lastSet).After(a.copyAt.Add(clockTolerance))
}

func (d Directory) read(ctx context.Context) ([]*account, []group, error) {
	conn, err := d.Connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.Bind(d.BindUser, d.Password.Reveal()); err != nil {
		return nil, nil, fmt.Errorf("bind as %s: %w", d.BindUser, err)
	}
	base := d.BaseDN
	if base == "" {
		root, err := conn.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", []string{"defaultNamingContext"}, nil))
		if err != nil || len(root.Entries) == 0 {
			return nil, nil, fmt.Errorf("read the rootDSE: %w", err)
		}
		base = root.Entries[0].GetAttributeValue("defaultNamingContext")
	}
	users, err := search(conn, base, userFilter, userAttributes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the users: %w", err)
	}
	groups, err := search(conn, base, "(objectClass=group)", groupAttributes)
	if err != nil {
		return nil, nil, fmt.Errorf("read the groups: %w", err)
	}
	return d.accounts(users), groupsFrom(groups), nil
}

func search(conn *ldap.Conn, base, filter string, attributes []string) ([]*ldap.Entry, error) {
	r := ldap.NewSearchRequest(base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
	found, err := conn.SearchWithPaging(r, syncPage)
	if err != nil {
		return nil, fmt.Errorf("%s below %s: %w", filter, base, err)
	}
	return found.Entries, nil
}

func (d Directory) accounts(entries []*ldap.Entry) []*account {
	var accounts []*account
	for _, e := range entries {
		anchor := e.GetRawAttributeValue("mS-DS-ConsistencyGuid")
		if len(anchor) == 0 {
			anchor = e.GetRawAttributeValue("objectGUID")
		}
		upn := e.GetAttributeValue("userPrincipalName")
		if len(anchor) == 0 || strings.EqualFold(upn, d.BindUser) || strings.EqualFold(e.DN, d.BindUser) {
			continue // the account that reads is not a person
		}
		control, _ := strconv.Atoi(e.GetAttributeValue("userAccountControl"))
		lastSet := e.GetAttributeValue("pwdLastSet")
		accounts = append(accounts, &account{
			User: User{
				UPN: upn, Domain: d.Domain, DN: e.DN, GUID: hex.EncodeToString(e.GetRawAttributeValue("objectGUID")),
				SourceAnchor: base64.StdEncoding.EncodeToString(anchor),
				DisplayName:  firstOf(e.GetAttributeValue("displayName"), e.GetAttributeValue("sAMAccountName")),
				GivenName:    e.GetAttributeValue("givenName"),
				Surname:      e.GetAttributeValue("sn"),
				Enabled:      control&accountDisable == 0,
			},
			fromAD: directoryPassword{
				lastSet: lastSet, mustChange: lastSet == "0",
				expires: fileTime(e.GetAttributeValue("msDS-UserPasswordExpiryTimeComputed")),
			},
		})
	}
	return accounts
}

// fileTime reads a directory's instant. Never, and 0 ("at once", which must-change says already), are the zero time.
func fileTime(value string) time.Time {
	ticks, err := strconv.ParseInt(value, 10, 64)
	if err != nil || ticks <= 0 || ticks == 1<<63-1 {
		return time.Time{}
	}
	return time.Unix(windowsEpoch+ticks/1e7, ticks%1e7*100).UTC()
}

func groupsFrom(entries []*ldap.Entry) []group {
	groups := make([]group, 0, len(entries))
	for _, e := range entries {
		groups = append(groups, group{name: e.GetAttributeValue("sAMAccountName"), dn: e.DN, members: e.GetAttributeValues("member")})
	}
	return groups
}

// groupsOf names the groups that dn is a member of, nested ones too.
func groupsOf(groups []group, dn string) []string {
	var names []string
	seen := []string{strings.ToLower(dn)}
	for i := 0; i < len(seen); i++ {
		for _, g := range groups {
			is := func(m string) bool { return strings.EqualFold(m, seen[i]) }
			if slices.ContainsFunc(g.members, is) && !slices.Contains(seen, strings.ToLower(g.dn)) {
				seen = append(seen, strings.ToLower(g.dn))
				names = append(names, g.name)
			}
		}
	}
	return names
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
