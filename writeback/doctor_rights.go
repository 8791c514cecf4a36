package writeback

// doctor's group rights: what the agent's account may do to one ordinary user, by the access control lists that the
// directory shows. The set is the one that Microsoft documents for a writeback account, and the marker's attribute.

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"

	"passback/writeback/directory"
)

// Extended rights (MS-ADTS 5.1.3.2.1).
var (
	resetPassword    = uuid.MustParse("00299570-246d-11d0-a768-00aa006e0529") // User-Force-Change-Password
	changePassword   = uuid.MustParse("ab721a53-1e2f-11d0-9819-00aa0040529b") // User-Change-Password
	unexpirePassword = uuid.MustParse("ccc2dc7d-a6ad-4a7a-8846-c04e3cc53501") // Unexpire-Password
)

// A sample is one user, and everything that says what the agent's account may do to them.
type sample struct {
	domains []*domainView
	name    string
	marker  string
	conn    *directory.Conn
	user    directory.User

	token       directory.Token
	tokenErr    error
	own         *directory.Descriptor // of the user
	ownErr      error
	head        *directory.Descriptor // of the domain
	headErr     error
	writable    map[string]bool // attributes, in lower case
	writableErr error
}

var rightsChecks = []check[*sample]{
	{name: "sample user", vital: true, look: (*sample).find},
	{name: "protected account", look: (*sample).protected},
	{name: "inheritance", look: (*sample).inheritance},
	{name: "Reset Password", look: extended(ofUser, resetPassword, Failure, "CA;Reset Password", "Resets are refused with 33004.")},
	{name: "Change Password", look: extended(ofUser, changePassword, Warning, "CA;Change Password", "Changes by this person are refused: \"User cannot change password\" is set, or Everyone's right was taken away.")},
	{name: "write pwdLastSet", look: writes("pwdLastSet", "Resets that force a change at next sign-in are refused with 33004.")},
	{name: "write lockoutTime", look: writes("lockoutTime", "Resets and unlocks of locked accounts are refused with 33004.")},
	{name: "write the marker", look: (*sample).writesMarker},
	{name: "read the marker", look: (*sample).readsMarker},
	{name: "read what the rules need", look: (*sample).readsRules},
	{name: "Unexpire Password on the domain", look: extended(ofDomain, unexpirePassword, Failure, "CA;Unexpire Password", "A password set by a reset is expired at once.")},
	{name: "no more than needed", look: (*sample).notAdministrator},
	{name: "policy in effect", look: (*sample).policy},
}

func (x *examination) examineRights(ctx context.Context, domains []*domainView, marker string) {
	if x.user == "" {
		x.findings = append(x.findings, Finding{"rights", "", "sample user", Skipped, "no sample user was given", "Give an ordinary one with --user, to have the rights of the agent's account looked at."})
		return
	}
	examine(ctx, x, "rights", x.user, &sample{domains: domains, name: x.user, marker: marker}, rightsChecks)
}

func (s *sample) find(ctx context.Context) finding {
	var found []string
	if !slices.ContainsFunc(s.domains, func(d *domainView) bool { return d.conn != nil }) {
		return failure("no domain could be asked", "See the lines above.")
	}
	for _, d := range s.domains {
		if d.conn == nil {
			continue
		}
		users, err := d.conn.FindName(ctx, s.name)
		if err != nil {
			return failure(err.Error(), "Let the agent's account read users, as Authenticated Users may by default.")
		}
		for _, u := range users {
			found = append(found, u.DN)
			s.conn, s.user = d.conn, u
		}
	}
	if len(found) != 1 {
		return failure(fmt.Sprintf("%d accounts have this name %s", len(found), strings.Join(found, "; ")), "Give the user principal name, or the sAMAccountName, of one ordinary user.")
	}
	s.read(ctx)
	if !s.user.Enabled {
		return warning(s.user.DN+" is disabled", "Give an ordinary, enabled user.")
	}
	return fine("%s", s.user.DN)
}

// read gathers what can be read; what cannot says so in the lines that need it.
func (s *sample) read(ctx context.Context) {
	s.token, s.tokenErr = s.conn.Token(ctx)
	s.own, s.ownErr = s.conn.Descriptor(ctx, s.user.DN)
	s.head, s.headErr = s.conn.Descriptor(ctx, s.conn.Domain())
	s.writable, s.writableErr = s.conn.MayWrite(ctx, s.user.DN)
}

// unread is the finding where a right could not be looked at.
func unread(err error) finding {
	return warning("could not be read: "+err.Error(), "Let the agent's account read permissions, as Authenticated Users may by default; or have an administrator look at this right.")
}

func (s *sample) protected(context.Context) finding {
	if s.user.Protected {
		return warning("adminCount is 1: the user is, or was, a member of a protected group, so that AdminSDHolder's rights hold and not those of the OU",
			"Take an ordinary user as the sample. Administrators' resets of this one are refused by design; for a past member clear adminCount and switch inheritance on again.")
	}
	return fine("no: adminCount is not 1")
}

func (s *sample) inheritance(context.Context) finding {
	switch {
	case s.ownErr != nil:
		return unread(s.ownErr)
	case s.own.Protected:
		return warning("is switched off on this user", "Switch it on (Advanced Security Settings, Enable inheritance), or rights given on the OU or the domain do not reach the user.")
	}
	return fine("is on")
}

type place int

const (
	ofUser place = iota
	ofDomain
)

// extended looks for an extended right.
func extended(at place, right uuid.UUID, otherwise Result, grant, without string) func(*sample, context.Context) finding {
	return func(s *sample, _ context.Context) finding {
		d, err := s.own, s.ownErr
		if at == ofDomain {
			d, err = s.head, s.headErr
		}
		switch err := errors.Join(err, s.tokenErr); {
		case err != nil:
			return unread(err)
		case d.Grants(s.token, directory.ControlAccess, right):
			return fine("granted")
		}
		return finding{otherwise, "not granted", without + " " + s.grant(at, grant)}
	}
}

// writes looks for the right to write an attribute.
func writes(attribute, without string) func(*sample, context.Context) finding {
	return func(s *sample, _ context.Context) finding {
		switch {
		case s.writableErr != nil:
			return unread(s.writableErr)
		case s.writable[strings.ToLower(attribute)]:
			return fine("granted")
		}
		return failure("not granted", without+" "+s.grant(ofUser, "WP;"+attribute))
	}
}

func (s *sample) writesMarker(ctx context.Context) finding {
	return writes(s.marker, "No request at all can be applied: the marker is written in the same modify as the password.")(s, ctx)
}

func (s *sample) readsMarker(ctx context.Context) finding {
	may, err := s.conn.MayRead(ctx, s.user.DN, s.marker)
	switch {
	case err != nil:
		return unread(err)
	case may[s.marker]:
		return fine("granted")
	}
	return failure("not granted", "After an interruption the agent cannot tell what was done, and has to answer unknown. "+s.grant(ofUser, "RP;"+s.marker))
}

// readsRules looks at what the agent reads to say which rule refused a password.
func (s *sample) readsRules(ctx context.Context) finding {
	needed := []string{"pwdLastSet", "sAMAccountName", attrDisplayName, attrResultantPSO}
	may, err := s.conn.MayRead(ctx, s.user.DN, needed...)
	if err != nil {
		return unread(err)
	}
	missing := slices.DeleteFunc(slices.Clone(needed), func(a string) bool { return may[a] })
	if len(missing) > 0 {
		return warning(strings.Join(missing, ", ")+" may not be read", "Without it the agent often cannot say which rule refused a password. "+s.grant(ofUser, "RP;"+missing[0]))
	}
	return fine("%s", strings.Join(needed, ", "))
}

// grant is the command that gives a right.
func (s *sample) grant(at place, right string) string {
	scope, object := "/I:S ", ";user"
	if at == ofDomain {
		scope, object = "", ""
	}
	return fmt.Sprintf("Grant it: dsacls %q %s/G \"ACCOUNT:%s%s\"", s.conn.Domain(), scope, right, object)
}

func (s *sample) notAdministrator(context.Context) finding {
	switch {
	case s.tokenErr != nil:
		return unread(s.tokenErr)
	case s.token.Administrator():
		return warning("the agent's account is an administrator of the domain", "Give it an ordinary account with the rights above and no more: who takes this host would have the domain.")
	}
	return fine("the agent's account is no administrator")
}

func (s *sample) policy(ctx context.Context) finding {
	u := s.user
	if err := s.conn.Describe(ctx, &u); err != nil {
		return warning("the user could not be read: "+err.Error(), grantPolicies)
	}
	p, err := s.conn.Policy(ctx, u)
	if err != nil {
		return warning(p.Name+" could not be read: "+err.Error(), grantPolicies)
	}
	return ageFinding(p.Policy)
}
