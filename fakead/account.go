package fakead

// Where an account's password and its counters are kept in its entry: the attributes of MS-SAMR 3.1.1.8, and
// what is computed from them when it is asked for (MS-ADTS 3.1.1.4.5).

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// loadAccount reads what decisions about passwords are made on.
func loadAccount(e *tree.Entry) *password.Account {
	control, _ := e.Int("userAccountControl")
	count, _ := e.Int("badPwdCount")
	current := password.Decode([]byte(e.First(unicodePwd)))
	return &password.Account{
		Name:        e.First("sAMAccountName"),
		DisplayName: e.First("displayName"),
		Control:     uint32(control),
		Passwords:   append(current, password.Decode([]byte(e.First("ntPwdHistory")))...),
		LastSet:     timeOf(e, "pwdLastSet"),
		Expires:     timeOf(e, "accountExpires"),
		LogonHours:  []byte(e.First("logonHours")),
		BadCount:    int(count),
		BadTime:     timeOf(e, "badPasswordTime"),
		LockoutTime: timeOf(e, "lockoutTime"),
		LastLogon:   timeOf(e, "lastLogonTimestamp"),

		LastLogonHere: timeOf(e, "lastLogon"),
	}
}

// elsewhereOnly reads userWorkstations: NetBIOS names between commas, or nothing. A simple bind happens at the
// domain controller.
func (s *Server) elsewhereOnly(workstations string) bool {
	return workstations != "" && !slices.ContainsFunc(strings.Split(workstations, ","), func(name string) bool {
		return strings.EqualFold(strings.TrimSpace(name), s.computerName())
	})
}

func timeOf(e *tree.Entry, name string) time.Time {
	n, _ := e.Int(name)
	return fromFileTime(n)
}

// saveAccount writes what a decision changed.
func saveAccount(set func(name string, values ...string), before, after *password.Account) {
	times := []struct {
		name          string
		before, after time.Time
	}{
		{"pwdLastSet", before.LastSet, after.LastSet},
		{"badPasswordTime", before.BadTime, after.BadTime},
		{"lockoutTime", before.LockoutTime, after.LockoutTime},
		{"lastLogonTimestamp", before.LastLogon, after.LastLogon},
		{"lastLogon", before.LastLogonHere, after.LastLogonHere},
	}
	for _, t := range times {
		if !t.before.Equal(t.after) {
			set(t.name, strconv.FormatInt(fileTime(t.after), 10))
		}
	}
	if before.BadCount != after.BadCount {
		set("badPwdCount", strconv.Itoa(after.BadCount))
	}
	if len(after.Passwords) > 0 && (len(before.Passwords) == 0 || before.Passwords[0] != after.Passwords[0]) {
		set(unicodePwd, string(password.Encode(after.Passwords[:1])))
		if len(after.Passwords) > 1 {
			set("ntPwdHistory", string(password.Encode(after.Passwords[1:])))
		}
	}
}

func (r reading) computedControl() [][]byte {
	if !r.entry.IsA("user") {
		return nil
	}
	return [][]byte{decimal(int64(loadAccount(r.entry).ComputedControl(r.policyFor(r.entry), r.clock.Now())))}
}

func (r reading) expiryTime() [][]byte {
	if !r.entry.IsA("user") {
		return nil
	}
	return [][]byte{decimal(expiryTime(loadAccount(r.entry), r.policyFor(r.entry)))}
}

func (r reading) resultantPSO() [][]byte {
	if settings := r.resultantSettings(r.entry); settings != nil && r.entry.IsA("user") {
		return toValues(settings.Name)
	}
	return nil
}

func (r reading) keyVersion() [][]byte {
	if !r.entry.IsA("user") {
		return nil
	}
	return [][]byte{decimal(int64(1 + r.keyVersions[r.entry.GUID()]))}
}

func expiryTime(a *password.Account, p password.Policy) int64 {
	at, endless, mustChange := a.ExpiryTime(p)
	switch {
	case endless:
		return never
	case mustChange:
		return 0
	default:
		return fileTime(at)
	}
}
