package fakead

// What each event of the security log says. The names and the forms of values are those of Microsoft's
// documentation of the events 4625, 4723, 4724, 4738, 4740 and 4767.

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"

	"passback/fakead/password"
	"passback/fakead/tree"
)

const (
	systemLogon  = "0x3e7" // of the local system
	systemSID    = "S-1-5-18"
	nullSID      = "S-1-0-0"
	firstLogon   = 0x10000 // numbers below are the system's
	noValue      = "-"
	maxNameInLog = 256                   // characters of a name that a client sent
	formatForLog = "1/2/2006 3:04:05 PM" // of dates

	notDisplayedInLog = "%%1792" // <value changed, but not displayed>
	notSetInLog       = "%%1793" // <value not set>
	neverInLog        = "%%1794" // <never>

	logonNetwork  = "3"
	simpleBindLog = "Advapi  " // LogonProcessName, padded as Windows pads it
)

// target is the account that an event is about.
func (s *Server) target(e *tree.Entry) map[string]string {
	return map[string]string{"TargetUserName": e.First("sAMAccountName"), "TargetDomainName": s.netbios, "TargetSid": e.SID().String()}
}

// bySubject adds who did it.
func (s *Server) bySubject(data map[string]string, c *session) map[string]string {
	data["SubjectUserSid"], data["SubjectUserName"] = c.user.SID().String(), c.user.First("sAMAccountName")
	data["SubjectDomainName"], data["SubjectLogonId"] = s.netbios, fmt.Sprintf("%#x", c.logon)
	return data
}

// bySystem adds the domain controller itself.
func (s *Server) bySystem(data map[string]string) map[string]string {
	data["SubjectUserSid"], data["SubjectUserName"] = systemSID, s.computerName()+"$"
	data["SubjectDomainName"], data["SubjectLogonId"] = s.netbios, systemLogon
	return data
}

// auditLockout records that wrong passwords locked an account.
func (s *Server) auditLockout(e *tree.Entry) {
	data := s.bySystem(s.target(e))
	data["TargetDomainName"] = s.computerName() // the caller's computer: over LDAP, the server itself
	s.audit(EventAccountLocked, true, data)
}

// locks tells whether a decision locked an account.
func locks(before, after *password.Account) bool {
	return !after.LockoutTime.IsZero() && !after.LockoutTime.Equal(before.LockoutTime)
}

// logonFailures say why, as NTSTATUS codes and as the number of a message.
var logonFailures = map[password.Admission]struct{ status, subStatus, reason string }{
	password.NoSuchUser:         {"0xc000006d", "0xc0000064", "%%2313"},
	password.WrongPassword:      {"0xc000006d", "0xc000006a", "%%2313"},
	password.OutsideLogonHours:  {"0xc000006e", "0xc000006f", "%%2311"},
	password.PasswordExpired:    {"0xc000006e", "0xc0000071", "%%2309"},
	password.AccountIsDisabled:  {"0xc000006e", "0xc0000072", "%%2310"},
	password.AccountExpired:     {"0xc000006e", "0xc0000193", "%%2305"},
	password.PasswordMustChange: {"0xc0000224", "0x0", "%%2309"},
	password.AccountLockedOut:   {"0xc0000234", "0x0", "%%2307"},
}

// auditLogon records that a simple bind failed. name is as the client sent it.
func (s *Server) auditLogon(c *session, name string, why password.Admission) {
	failure := logonFailures[why]
	data := s.bySystem(map[string]string{
		"TargetUserSid": nullSID, "TargetUserName": clipRunes(name, maxNameInLog), "TargetDomainName": s.netbios,
		"Status": failure.status, "SubStatus": failure.subStatus, "FailureReason": failure.reason,
		"LogonType": logonNetwork, "LogonProcessName": simpleBindLog, "AuthenticationPackageName": "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0",
		"WorkstationName": s.computerName(), "TransmittedServices": noValue, "LmPackageName": noValue, "KeyLength": "0",
		"ProcessName": `C:\Windows\System32\lsass.exe`, "IpAddress": noValue, "IpPort": noValue,
	})
	if c.remote != nil {
		if host, port, err := net.SplitHostPort(c.remote.String()); err == nil {
			data["IpAddress"], data["IpPort"] = host, port
		}
	}
	s.audit(EventLogonFailed, false, data)
}

func clipRunes(text string, most int) string {
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most])
	}
	return text
}

// auditModify records what a modify meant for an account. A password that was refused for another reason than a
// rule of the policy leaves no event, as on Windows.
func (s *Server) auditModify(m *modification, c *session, before accountFields, res result) {
	if !m.target.IsA("user") {
		return
	}
	done := res.code == codeSuccess
	if m.clauses.form != noPassword && (done || m.rule != password.Acceptable) {
		id := EventPasswordReset
		data := s.bySubject(s.target(m.target), c)
		if m.clauses.form == changeForm {
			id, data["PrivilegeList"] = EventPasswordChange, noValue
		}
		s.audit(id, done, data)
	}
	if !done {
		if locks(&m.before, m.account) {
			s.auditLockout(m.target)
		}
		return
	}
	if !m.before.LockoutTime.IsZero() && m.account.LockoutTime.IsZero() {
		s.audit(EventAccountUnlocked, true, s.bySubject(s.target(m.target), c))
	}
	if changed := before.changes(m.target); len(changed) > 0 {
		data := s.bySubject(s.target(m.target), c)
		data["Dummy"], data["PrivilegeList"] = noValue, noValue
		for _, f := range changedFields {
			data[f.field] = noValue
		}
		data["OldUacValue"], data["NewUacValue"] = noValue, noValue
		for field, value := range changed {
			data[field] = value
		}
		s.audit(EventAccountChanged, true, data)
	}
}

// changedFields are the attributes that 4738 tells of.
var changedFields = []struct{ attribute, field string }{
	{"sAMAccountName", "SamAccountName"}, {"displayName", "DisplayName"}, {"userPrincipalName", "UserPrincipalName"},
	{"homeDirectory", "HomeDirectory"}, {"homeDrive", "HomePath"}, {"scriptPath", "ScriptPath"}, {"profilePath", "ProfilePath"},
	{"userWorkstations", "UserWorkstations"}, {"pwdLastSet", "PasswordLastSet"}, {"accountExpires", "AccountExpires"},
	{"primaryGroupID", "PrimaryGroupId"}, {"msDS-AllowedToDelegateTo", "AllowedToDelegateTo"}, {"userAccountControl", "UserAccountControl"},
	{"userParameters", "UserParameters"}, {"sIDHistory", "SidHistory"}, {"logonHours", "LogonHours"},
}

// accountFields are the values of changedFields, in their order.
type accountFields []string

func fieldsOf(e *tree.Entry) accountFields { return e.Firsts(changedAttributes()) }

var changedAttributes = sync.OnceValue(func() []*tree.Attribute {
	attributes := make([]*tree.Attribute, len(changedFields))
	for i, f := range changedFields {
		attributes[i] = tree.LookupAttribute(f.attribute)
	}
	return attributes
})

// changes are the fields of 4738 for what e has now and had not before.
func (f accountFields) changes(e *tree.Entry) map[string]string {
	changed := map[string]string{}
	for i, now := range fieldsOf(e) {
		if now == f[i] {
			continue
		}
		name := changedFields[i].field
		switch name {
		case "PasswordLastSet", "AccountExpires":
			changed[name] = timeInLog(now)
		case "UserAccountControl":
			before, after := samControl(f[i]), samControl(now)
			changed["OldUacValue"], changed["NewUacValue"] = fmt.Sprintf("%#x", before), fmt.Sprintf("%#x", after)
			changed[name] = controlInLog(before, after)
		case "LogonHours", "UserParameters", "SidHistory":
			changed[name] = notDisplayedInLog
		default:
			changed[name] = now
			if now == "" {
				changed[name] = notSetInLog
			}
		}
	}
	return changed
}

func timeInLog(value string) string {
	n, _ := strconv.ParseInt(value, 10, 64)
	if at := fromFileTime(n); !at.IsZero() {
		return at.Format(formatForLog)
	}
	return neverInLog
}

// samBits are the bits of userAccountControl in the order of the SAM's own (MS-SAMR 2.2.1.12).
var samBits = []uint32{
	0x2, 0x8, 0x20, 0x100, 0x200, 0x20000, 0x800, 0x1000, 0x2000, 0x10000, 0x10, 0x80, 0x40000, 0x80000, 0x100000, 0x200000, 0x400000, 0x800000,
}

// samControl turns userAccountControl into the SAM's numbering, which the log uses.
func samControl(value string) uint32 {
	n, _ := strconv.ParseInt(value, 10, 64)
	var sam uint32
	for i, bit := range samBits {
		if uint32(n)&bit != 0 {
			sam |= 1 << i
		}
	}
	return sam
}

const (
	bitCleared = 2048 // the message about bit 0; those about the others follow
	bitSet     = 2080
)

// controlInLog names the messages about the bits that changed.
func controlInLog(before, after uint32) string {
	var b strings.Builder
	for i := range samBits {
		if was, is := before>>i&1, after>>i&1; was != is {
			message := bitCleared + i
			if is == 1 {
				message = bitSet + i
			}
			fmt.Fprintf(&b, "\n\t\t%%%%%d", message)
		}
	}
	return b.String()
}
