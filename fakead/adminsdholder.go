package fakead

// AdminSDHolder (MS-ADTS 3.1.1.6.1): once an hour the domain controller that is PDC emulator gives the groups of
// administrators, and whoever is in them by whatever way, the security descriptor of CN=AdminSDHolder, and sets
// their adminCount. Who leaves those groups keeps both.

import (
	"slices"
	"strconv"
	"time"

	"passback/fakead/tree"
)

const protectInterval = time.Hour // AdminSDProtectFrequency

// Relative identifiers of groups and accounts in a domain.
const (
	ridAdministrator           = 500
	ridDomainAdmins            = 512
	ridDomainControllers       = 516
	ridSchemaAdmins            = 518
	ridEnterpriseAdmins        = 519
	ridReadOnlyControllers     = 521
	ridBuiltinAdministrators   = 544
	ridBuiltinAccountOperators = 548
	ridBuiltinServerOperators  = 549
	ridBuiltinPrintOperators   = 550
	ridBuiltinBackupOperators  = 551
	ridBuiltinReplicator       = 552
)

// protectedGroups are those whose members are protected too. dSHeuristics can leave out the groups of operators, by
// a bit of its sixteenth character.
var protectedGroups = []struct {
	builtin bool
	rid     uint32
	leftOut uint64
}{
	{false, ridDomainAdmins, 0}, {false, ridSchemaAdmins, 0}, {false, ridEnterpriseAdmins, 0},
	{true, ridBuiltinAdministrators, 0}, {true, ridBuiltinReplicator, 0},
	{true, ridBuiltinAccountOperators, 1}, {true, ridBuiltinServerOperators, 2}, {true, ridBuiltinPrintOperators, 4}, {true, ridBuiltinBackupOperators, 8},
}

// protectedAlone are accounts, and groups whose members are not protected.
var protectedAlone = []uint32{ridAdministrator, ridKrbtgt, ridDomainControllers, ridReadOnlyControllers}

// startProtecting makes the first pass, and one every hour from then on.
func (s *Server) startProtecting() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.isPDC() {
		s.protectAdministrators()
	}
	s.protecting = s.clock.AfterFunc(protectInterval, s.protectHourly)
}

func (s *Server) protectHourly() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.protecting == nil { // closed at meanwhile
		return
	}
	if s.tree.USN() != s.protectedAt && s.isPDC() && !s.down.Load() {
		s.protectAdministrators()
	}
	s.protecting = s.clock.AfterFunc(protectInterval, s.protectHourly)
}

func (s *Server) stopTimers() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closing = true
	s.stopNotifying()
	if s.protecting != nil {
		s.protecting.Stop()
		s.protecting = nil
	}
}

func (s *Server) isClosing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closing
}

// protectAdministrators is one pass.
func (s *Server) protectAdministrators() {
	open := s.administratorGroups()
	primary := map[string]bool{}
	for _, group := range open {
		_, rid := group.SID().RID()
		primary[strconv.FormatUint(uint64(rid), 10)] = true
	}
	for e := range s.tree.Walk(s.head(), tree.WholeSubtree) {
		if id := e.First("primaryGroupID"); primary[id] {
			open = append(open, e)
		}
	}
	done := map[*tree.Entry]bool{}
	for len(open) > 0 {
		e := open[len(open)-1]
		open = open[:len(open)-1]
		if !done[e] {
			done[e] = true
			s.protectAdministrator(e)
			open = append(open, e.Linked("member")...)
		}
	}
	for _, rid := range protectedAlone {
		if e := s.tree.BySID(s.tree.DomainSID().WithRID(rid)); e != nil {
			s.protectAdministrator(e)
		}
	}
	s.protectedAt = s.tree.USN()
}

// protectAdministrator makes one account or group what a pass makes of it.
func (s *Server) protectAdministrator(e *tree.Entry) {
	holder := s.tree.Find(s.tree.Base().Child("CN", "System").Child("CN", "AdminSDHolder"))
	if holder == nil || !e.IsA("user") && !e.IsA("group") {
		return
	}
	s.tree.Set(e, "adminCount", "1")
	if d := s.descriptorOf(holder); s.descriptorOf(e) != d {
		if err := s.protect(e, d); err != nil {
			s.log.Error("AdminSDHolder's pass left an object unprotected", "object", e.DN().String(), "error", err)
		}
	}
}

// administratorGroups are the groups whose members are protected.
func (s *Server) administratorGroups() []*tree.Entry {
	var groups []*tree.Entry
	excluded := s.excludedOperators()
	for _, g := range protectedGroups {
		domain := s.tree.DomainSID()
		if g.builtin {
			domain = builtinDomain
		}
		if e := s.tree.BySID(domain.WithRID(g.rid)); e != nil && g.leftOut&excluded == 0 {
			groups = append(groups, e)
		}
	}
	return groups
}

// excludedOperators is dwAdminSDExMask.
func (s *Server) excludedOperators() uint64 {
	mask, err := strconv.ParseUint(string(s.heuristic(heuristicOperators)), 16, 4)
	if err != nil {
		return 0
	}
	return mask
}

// isProtected: a member, however indirect, of a protected group.
func (s *Server) isProtected(e *tree.Entry) bool {
	groups := s.administratorGroups()
	for group := range s.groupsOf(e) {
		if slices.Contains(groups, group) {
			return true
		}
	}
	return false
}

var builtinDomain = tree.MustParseSID("S-1-5-32")
