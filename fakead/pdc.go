package fakead

// What domain controllers tell the PDC emulator past replication, so that a new password is known there first, and ask
// it before they call one wrong: MS-SAMS (PasswordUpdate 3.2.4.2 and 3.3.5.2, ResetBadPwdCount 3.3.5.3) and, for the
// forwarding of logons, the pass-through of MS-APDS 3.1.5. All of it is best effort: a PDC emulator that cannot be
// reached changes nothing. Who it is, each reads in its own directory, so that news of a moved role takes its time.
//
// Left out on purpose: AvoidPdcOnWan, and the cache that keeps a DC from asking about one wrong password many times.

import (
	"slices"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// isPDC tells whether the domain controller holds the role, as far as it knows.
func (s *Server) isPDC() bool { return s.holds(PDCEmulator) }

// pdc is the PDC emulator as this domain controller knows it; nil: itself, or one that cannot be reached.
func (s *Server) pdc() *Server {
	s.mu.Lock()
	owner := s.roleOwner(PDCEmulator)
	s.mu.Unlock()
	for _, partner := range s.partners() {
		if partner.settingsDN() == owner && s.forest.connected(s, partner) {
			return partner
		}
	}
	return nil
}

// tellPDC notes that the PDC emulator is to know of an account's new password, unlock or forced change. The PDC
// emulator itself tells nobody.
func (s *Server) tellPDC(account tree.GUID) {
	if !s.isPDC() && !slices.Contains(s.pending.toPDC, account) {
		s.pending.toPDC = append(s.pending.toPDC, account)
	}
}

// updatePDC is PasswordUpdate: the PDC emulator answers it by taking the one object.
func (s *Server) updatePDC(account tree.GUID) {
	if pdc := s.pdc(); pdc != nil {
		_ = pdc.pullObject(s, account)
	}
}

// chains are the ends of a logon after which the PDC emulator is asked: it may know better.
var chains = map[password.Admission]bool{
	password.WrongPassword: true, password.PasswordExpired: true, password.PasswordMustChange: true, password.AccountLockedOut: true,
}

// askPDC forwards a logon that this domain controller would refuse. The PDC emulator counts a wrong password too.
func (s *Server) askPDC(account tree.GUID, secret string) (password.Admission, bool) {
	pdc := s.pdc()
	if pdc == nil {
		return 0, false
	}
	pdc.mu.Lock()
	defer pdc.unlock()
	user := pdc.tree.ByGUID(account)
	if user == nil {
		return 0, false
	}
	end := pdc.logon(user, secret)
	if end.locks {
		pdc.auditLockout(user)
	}
	return end.Admission, true
}

// tellGoodLogon is ResetBadPwdCount: a good logon elsewhere ends the count at the PDC emulator.
func (s *Server) tellGoodLogon(account tree.GUID) {
	pdc := s.pdc()
	if pdc == nil {
		return
	}
	pdc.mu.Lock()
	defer pdc.unlock()
	if user := pdc.tree.ByGUID(account); user != nil {
		pdc.tree.Set(user, "badPwdCount", "0")
	}
}

// admit judges a logon, and asks the PDC emulator before it is refused for what that may know better. While others are
// asked the directory is not locked.
func (s *Server) admit(user *tree.Entry, secret string) logonEnd {
	switch {
	case s.replica.metadata == nil: // alone
		return s.logon(user, secret)
	case s.readOnly:
		return logonEnd{Admission: s.admitByCache(user, secret)}
	}
	guid := user.GUID()
	admission, counted := s.preview(user, secret)
	if admission == password.Admitted && counted > 0 && !s.isPDC() {
		s.pending.goodLogons = append(s.pending.goodLogons, guid)
	}
	if !chains[admission] || s.isPDC() {
		return s.logon(user, secret)
	}
	s.mu.Unlock()
	verdict, asked := s.askPDC(guid, secret)
	s.mu.Lock()
	if user = s.tree.ByGUID(guid); user == nil {
		return logonEnd{Admission: password.NoSuchUser}
	}
	if asked && verdict == password.Admitted {
		s.tree.Set(user, "badPwdCount", "0")
		return logonEnd{}
	}
	end := s.logon(user, secret)
	if asked {
		end.Admission = verdict
	}
	return end
}

// A logonEnd is how a logon ends, and whether it locked the account here.
type logonEnd struct {
	password.Admission
	locks bool
}

// logon judges a logon by this domain controller's own knowledge and keeps the account's counters.
func (s *Server) logon(user *tree.Entry, secret string) logonEnd {
	account := loadAccount(user)
	account.ElsewhereOnly = s.elsewhereOnly(user.First("userWorkstations"))
	before := *account
	admission := account.Logon(s.policyFor(user), s.clock.Now(), secret)
	saveAccount(s.setter(user), &before, account)
	return logonEnd{admission, locks(&before, account)}
}

// preview is how a logon would end here; nothing is counted.
func (s *Server) preview(user *tree.Entry, secret string) (admission password.Admission, counted int) {
	account := loadAccount(user)
	counted = account.BadCount
	account.ElsewhereOnly = s.elsewhereOnly(user.First("userWorkstations"))
	return account.Logon(s.policyFor(user), s.clock.Now(), secret), counted
}
