package fakead

// Modify, RFC 4511 4.6 and MS-ADTS 3.1.1.5.3. A modify is applied as a whole or not at all: the plain attributes
// first, since a value that is already there refuses the request before the old password is looked at, then
// unicodePwd, then what is written of pwdLastSet, lockoutTime and userAccountControl beside it.

import (
	"errors"
	"strings"

	"passback/fakead/password"
	"passback/fakead/security"
	"passback/fakead/tree"
)

const oidPermissiveModify = "1.2.840.113556.1.4.1413"

func (s *Server) modify(req *request) result {
	m := req.modify
	if !m.known() {
		return result{code: codeProtocolError, text: s.text.undecodable()}
	}
	o := Operation{Stage: BeforeModify, Caller: s.callerName(req.session), Target: m.dn}
	for _, c := range m.changes {
		o.Attributes = append(o.Attributes, c.name)
	}
	gone := result{code: codeUnavailable, text: s.text.shuttingDown()}
	if !s.reach(req, o) {
		return gone
	}
	res := s.applyModify(req, m.dn, m.changes)
	s.log.Debug("modify", "target", m.dn, "caller", o.Caller, "attributes", o.Attributes, "code", res.code)
	o.Stage, o.Code = AfterModify, res.code
	if !s.reach(req, o) {
		return gone
	}
	return res
}

// A modification is a modify request on its way to be applied.
type modification struct {
	server  *Server
	target  *tree.Entry
	caller  *tree.Entry
	access  access
	parts   security.Parts // of the descriptor, that the request means
	policy  Policy         // in effect for the target
	hints   bool           // the policy hints control applies
	clauses passwordClauses
	plan    *tree.Plan
	before  password.Account
	account *password.Account
	rule    password.Rule // that refused a new password
}

// applyModify judges and applies a modify.
func (s *Server) applyModify(req *request, name string, changes []change) result {
	s.mu.Lock()
	defer s.unlock()
	caller := req.session.user
	if caller == nil { // the connection was bound when the request came; a bind does not run beside it
		return result{code: codeOperationsError, text: s.text.notBound()}
	}
	if len(changes) == 0 {
		return svcErr(errorDSUnwilling, "031A1202")
	}
	target, err := s.tree.Resolve(name)
	if err != nil {
		return s.treeResult(err)
	}
	hints, ok := s.policyHints(req)
	if !ok {
		return result{code: codeCriticalUnavailable, text: s.text.controlError()}
	}
	m := &modification{
		server: s, target: target, caller: caller, access: s.accessTo(req.session, target),
		policy: s.policyFor(target), hints: hints, clauses: classify(changes, s.userPasswordIsPassword()), plan: s.tree.Plan(target), account: loadAccount(target),
		parts: req.sdFlags(),
	}
	m.before = *m.account
	fields := fieldsOf(target)
	_, permissive := req.control(oidPermissiveModify)
	res := m.apply(changes, req.session.encrypted, permissive)
	if m.clauses.form != noPassword {
		s.recordPasswordWrite(m, res)
	}
	s.auditModify(m, req.session, fields, res)
	return res
}

// apply runs the steps in the order in which a domain controller answers them.
func (m *modification) apply(changes []change, encrypted, permissive bool) result {
	s := m.server
	if m.clauses.form != noPassword && !encrypted {
		return svcErr(errorGenFailure, "031A11E5")
	}
	if res, refused := m.forbidden(changes); refused {
		return res
	}
	plain, special, descriptors := m.split(changes)
	if err := m.plan.Apply(plain, tree.Rules{Permissive: permissive}); err != nil {
		return s.treeResult(err)
	}
	secrets, res := m.decode()
	if res.code != codeSuccess {
		return res
	}
	for _, step := range []func() result{
		func() result { return m.write(secrets, writes(special, lockoutTime)) },
		func() result { return m.applyTimes(special) },
		func() result { return m.applyControl(changes) },
		func() result { return m.applyDescriptor(descriptors) },
	} {
		if res := step(); res.code != codeSuccess {
			return res
		}
	}
	saveAccount(m.plan.Set, &m.before, m.account)
	if err := m.plan.Commit(); err != nil {
		return s.treeResult(err)
	}
	if len(descriptors) > 0 {
		s.propagate(m.target)
	}
	if m.clauses.form != noPassword {
		s.keyVersions[m.target.GUID()]++
	}
	return result{}
}

// forbidden judges the caller's rights to all that the changes name.
func (m *modification) forbidden(changes []change) (result, bool) {
	for _, c := range changes {
		attribute := tree.LookupAttribute(c.name)
		if attribute == nil {
			return result{code: codeNoSuchAttribute, text: m.server.text.unknownAttribute()}, true
		}
		switch {
		case m.clauses.contain(c):
		case isDescriptor(c.name):
			if m.parts&^m.access.partsWritable() != 0 {
				return secErr(errorAccessDenied, "03152E13"), true
			}
		case !m.access.writes(attribute) && !m.access.joins(c, m.caller):
			return secErr(errorDSInsufficientAttrRights, "03150F94"), true
		}
	}
	resets := m.access.right(security.ControlAccess, rightResetPassword)
	switch m.clauses.form {
	case noPassword, emptyForm, manyValuesForm, deleteForm, plainDeleteForm, evenForm:
		return result{}, false // refused for what they are, whoever asks
	case changeForm:
		if !m.access.right(security.ControlAccess, rightChangePassword) {
			return m.clauses.violation(errorAccessDenied), true
		}
		return result{}, false
	case deleteAllAndAddForm:
		if !resets {
			return m.clauses.violation(errorInvalidPassword), true
		}
	}
	if !resets {
		return secErr(errorAccessDenied, "031A11B9"), true
	}
	return result{}, false
}

// split separates what the tree can apply from what means something to the SAM and from security descriptors.
// Passwords are in none.
func (m *modification) split(changes []change) (plain []tree.Change, special, descriptors []change) {
	for _, c := range changes {
		switch {
		case m.clauses.contain(c):
		case isDescriptor(c.name):
			descriptors = append(descriptors, c)
		case m.target.IsA("user") && (strings.EqualFold(c.name, pwdLastSet) || strings.EqualFold(c.name, lockoutTime)):
			special = append(special, c)
		default:
			plain = append(plain, c.plain())
		}
	}
	return plain, special, descriptors
}

// treeResult is what the directory itself answers.
func (s *Server) treeResult(err error) result {
	var refusal *tree.Error
	if !errors.As(err, &refusal) {
		return result{code: codeOther, text: s.text.ldapErr(errorGenFailure, "0C0909AF", "The server failed", "0")}
	}
	return result{code: refusal.Code, matched: refusal.Matched.String(), text: refusal.Diagnostic(s.text.build)}
}
