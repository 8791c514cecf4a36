package fakead

// A read-only domain controller, MS-ADTS 3.1.1.5.1.1 and 3.1.1.3.1.6: it takes everything from writable ones but
// secrets, makes no originating updates, and forwards the logons that it cannot judge. It caches an account's password
// after a good logon if the groups that its account names (msDS-RevealOnDemandGroup, msDS-NeverRevealGroup) let it.
//
// Left out on purpose: a krbtgt of its own, msDS-RevealedUsers, the filtered attribute set, and the forwarding of what
// logons would write (lastLogonTimestamp). It counts no wrong password: the domain controller that it asks does.

import (
	"errors"
	"fmt"
	"slices"

	ber "github.com/go-asn1-ber/asn1-ber"

	"passback/fakead/password"
	"passback/fakead/tree"
)

const capabilityPartialSecrets = "1920" // LDAP_CAP_ACTIVE_DIRECTORY_PARTIAL_SECRETS_OID

// ReadOnly tells whether this is a read-only domain controller. What is written to it by the Go functions of this
// package stays there, until a partner's news replace it.
func (s *Server) ReadOnly() bool { return s.readOnly }

// withheld attributes are not given to a read-only domain controller.
func withheld(a *tree.Attribute, partner *Server) bool { return partner.readOnly && a.NeverReadable }

// forgetSecrets takes out of a copy of the directory what a read-only domain controller does not get.
func (s *Server) forgetSecrets() {
	for _, head := range s.tree.Heads() {
		for e := range s.tree.Walk(head, tree.WholeSubtree) {
			var secret []string
			for a := range e.All() {
				if a.NeverReadable {
					secret = append(secret, a.Name)
				}
			}
			for _, name := range secret {
				s.tree.Put(e, name, nil)
			}
		}
	}
}

// revealed and neverRevealed are the groups that a new read-only domain controller's account names.
var (
	revealed      = []string{"Allowed RODC Password Replication Group"}
	neverRevealed = []string{"Denied RODC Password Replication Group", "Account Operators", "Server Operators", "Backup Operators", "Administrators"}
)

func (s *Server) createRevealGroups(account *tree.Entry) error {
	for attribute, groups := range map[string][]string{"msDS-RevealOnDemandGroup": revealed, "msDS-NeverRevealGroup": neverRevealed} {
		value := tree.Value{Name: attribute}
		for _, group := range groups {
			value.Values = append(value.Values, []byte(s.tree.BySAM(group).DN().String()))
		}
		if err := s.tree.Modify(account, []tree.Change{{Op: tree.AddValues, Value: value}}, tree.Rules{System: true}); err != nil {
			return fmt.Errorf("%s: %w", account.DN(), err)
		}
	}
	return nil
}

// isWrite tells whether an operation is an originating update.
func isWrite(operation ber.Tag) bool {
	return operation == tagModify || operation == tagAdd || operation == tagDelete || operation == tagModifyDN
}

// referWrite answers an originating update with where it can be made (MS-ADTS 3.1.1.5.1.1), or that what it is about
// is not there.
func (s *Server) referWrite(req *request) result {
	name := targetName(req)
	s.mu.Lock()
	defer s.mu.Unlock()
	dn, err := tree.ParseDN(name)
	var e *tree.Entry
	switch {
	case req.operation != tagAdd:
		e, err = s.tree.Resolve(name)
	case err == nil:
		e, err = s.tree.Resolve(dn.Parent().String())
	default:
		err = tree.BadName()
	}
	if err != nil {
		return s.treeResult(err)
	}
	if req.operation != tagAdd {
		dn = e.DN()
	}
	host := s.domain // any: the client may find one by DNS
	if hub := s.hub(); hub != nil {
		host = hub.HostName()
	}
	return referral(host, dn)
}

// targetName is the name of what an operation would change.
func targetName(req *request) string {
	switch {
	case req.modify != nil:
		return req.modify.dn
	case req.message != nil && len(req.message.Children) > 0:
		return req.message.Children[0].Data.String()
	case req.message != nil:
		return req.message.Data.String()
	default:
		return ""
	}
}

// hub is a writable domain controller that can be reached, the PDC emulator before all.
func (s *Server) hub() *Server {
	owner := s.roleOwner(PDCEmulator)
	var hub *Server
	for _, partner := range s.partners() {
		if partner.readOnly || !s.forest.connected(s, partner) {
			continue
		}
		if hub == nil || partner.settingsDN() == owner {
			hub = partner
		}
	}
	return hub
}

// admitByCache is admit of a read-only domain controller.
func (s *Server) admitByCache(user *tree.Entry, secret string) password.Admission {
	guid := user.GUID()
	cached := user.First(unicodePwd) != ""
	admission, _ := s.preview(user, secret)
	if cached && !chains[admission] {
		return admission
	}
	hub := s.hub()
	if hub == nil && cached {
		return admission
	}
	if hub == nil {
		return password.NoLogonServers
	}
	s.mu.Unlock()
	admission = hub.forwarded(guid, secret)
	if admission == password.Admitted {
		_ = s.cache(hub, guid) // where it may
	}
	s.mu.Lock()
	return admission
}

// forwarded judges a logon at a read-only domain controller.
func (s *Server) forwarded(account tree.GUID, secret string) password.Admission {
	s.mu.Lock()
	defer s.unlock()
	user := s.tree.ByGUID(account)
	if user == nil {
		return password.NoSuchUser
	}
	end := s.admit(user, secret)
	if end.locks {
		s.auditLockout(user)
	}
	return end.Admission
}

var errNotRevealed = errors.New("its groups do not let the read-only domain controller cache the password")

// CachePassword lets a read-only domain controller hold an account's password before its first logon there, as
// repadmin /rodcpwdrepl does.
func (s *Server) CachePassword(name string) error {
	s.mu.Lock()
	e, err := s.find(name)
	hub := s.hub()
	s.mu.Unlock()
	switch {
	case err != nil:
		return fmt.Errorf("cache a password: %w", err)
	case hub == nil:
		return fmt.Errorf("cache the password of %s: %w", name, errUnreachable)
	}
	if err := s.cache(hub, e.GUID()); err != nil {
		return fmt.Errorf("cache the password of %s: %w", name, err)
	}
	return nil
}

// cache takes an account's secrets (EXOP_REPL_SECRETS).
func (s *Server) cache(hub *Server, account tree.GUID) error {
	secrets, ok := hub.reveal(s, account)
	if !ok {
		return errNotRevealed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.tree.ByGUID(account); e != nil {
		s.tree.Receive(e, secrets)
	}
	return nil
}

// reveal returns the secrets of an account, if the read-only domain controller may have them (MS-DRSR 4.1.10.5.14).
func (s *Server) reveal(to *Server, account tree.GUID) ([]tree.Value, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	user, computer := s.tree.ByGUID(account), s.tree.BySAM(to.computerName()+"$")
	if user == nil || computer == nil || s.isIn(user, computer.Linked("msDS-NeverRevealGroup")) || !s.isIn(user, computer.Linked("msDS-RevealOnDemandGroup")) {
		return nil, false
	}
	var secrets []tree.Value
	for a, values := range user.All() {
		if a.NeverReadable {
			secrets = append(secrets, tree.Value{Name: a.Name, Values: values})
		}
	}
	return secrets, true
}

// isIn tells whether an account is one of those named or, however indirectly, a member of one.
func (s *Server) isIn(e *tree.Entry, groups []*tree.Entry) bool {
	for group := range s.groupsOf(e) {
		if slices.Contains(groups, group) {
			return true
		}
	}
	return slices.Contains(groups, e)
}
