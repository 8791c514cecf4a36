package fakead

// Simple bind, MS-ADTS 5.1.1.1: the name forms of 5.1.1.1.1, and the codes that a refusal carries.

import (
	"fmt"
	"strings"

	"passback/fakead/password"
	"passback/fakead/tree"
)

func (s *Server) bind(req *request) result {
	m := req.bind
	switch {
	case m == nil:
		return result{code: codeProtocolError, text: s.text.undecodable()}
	case m.mechanism != "":
		return s.saslBind(req)
	case !m.simple:
		s.forget(req.session)
		return result{code: codeAuthMethodUnsupported, text: s.text.authMethod()}
	case m.version != 2 && m.version != 3:
		return result{code: codeProtocolError, text: s.text.undecodable()}
	default:
		return s.simpleBind(req, m.name, m.password)
	}
}

// simpleBind judges a name and a password. Whatever comes of it, the connection loses who it was before.
func (s *Server) simpleBind(req *request, name, secret string) result {
	s.mu.Lock()
	defer s.unlock()
	req.session.become(nil)
	if secret == "" {
		return result{} // anonymous, or unauthenticated: RFC 4513 5.1.1 and 5.1.2
	}
	if s.os == "2025" && !req.session.encrypted {
		return result{code: codeStrongerAuthRequired, text: s.text.signingRequired()}
	}
	user := s.findByBindName(name)
	if user == nil {
		s.auditLogon(req.session, name, password.NoSuchUser)
		return s.refuseBind(password.NoSuchUser)
	}
	end := s.admit(user, secret)
	if end.Admission != password.Admitted {
		s.auditLogon(req.session, name, end.Admission)
		if end.locks {
			s.auditLockout(user)
		}
		return s.refuseBind(end.Admission)
	}
	if req.session.fastBind {
		return result{}
	}
	s.loggedOn(req.session, user)
	return result{}
}

// loggedOn binds a connection as an account that was admitted.
func (s *Server) loggedOn(c *session, user *tree.Entry) {
	s.logons++
	c.become(user)
	c.logon = firstLogon + s.logons
}

func (s *Server) refuseBind(why password.Admission) result {
	return result{
		code: codeInvalidCredentials,
		text: s.text.ldapErr(secInvalidToken, "0C09044E", "AcceptSecurityContext error", fmt.Sprintf("%x", int(why))),
	}
}

// findByBindName tries the forms of a name in the order of MS-ADTS 5.1.1.1.1; the first that finds an account
// counts. A bare sAMAccountName is none of them.
func (s *Server) findByBindName(name string) *tree.Entry {
	for _, form := range []func(string) *tree.Entry{s.byDN, s.byUPN, s.byDownLevelName, s.byCanonicalName, s.byGUID, s.byDisplayName, s.bySPN, s.bySID} {
		if e := form(name); e != nil && e.IsA("user") {
			return e
		}
	}
	return nil
}

func (s *Server) byDN(name string) *tree.Entry {
	dn, err := tree.ParseDN(name)
	if err != nil {
		return nil
	}
	return s.tree.Find(dn)
}

// byUPN finds userPrincipalName, or else the one that every account has: sAMAccountName@dns-domain.
func (s *Server) byUPN(name string) *tree.Entry {
	if e := s.tree.ByUPN(name); e != nil {
		return e
	}
	at := strings.LastIndexByte(name, '@')
	if at < 0 || !strings.EqualFold(name[at+1:], s.domain) {
		return nil
	}
	return s.tree.BySAM(name[:at])
}

func (s *Server) byDownLevelName(name string) *tree.Entry {
	domain, account, ok := strings.Cut(name, `\`)
	if !ok || !strings.EqualFold(domain, s.netbios) {
		return nil
	}
	return s.tree.BySAM(account)
}

// byCanonicalName finds corp.example/Users/Alice, also with its last slash as a newline.
func (s *Server) byCanonicalName(name string) *tree.Entry {
	parts := strings.Split(strings.ReplaceAll(name, "\n", "/"), "/")
	if len(parts) < 2 || !strings.EqualFold(parts[0], s.domain) {
		return nil
	}
	return s.only(func(e *tree.Entry) bool {
		path := e.DN()[:len(e.DN())-len(s.tree.Base())]
		return len(path) == len(parts)-1 && matchesPath(path, parts[1:])
	})
}

// matchesPath compares a name from its end with a canonical one from its start.
func matchesPath(path tree.DN, parts []string) bool {
	for i, rdn := range path {
		if !strings.EqualFold(rdn.Value, parts[len(parts)-1-i]) {
			return false
		}
	}
	return true
}

func (s *Server) byGUID(name string) *tree.Entry {
	guid, err := tree.ParseGUID(name)
	if err != nil || !strings.HasPrefix(name, "{") {
		return nil
	}
	return s.tree.ByGUID(guid)
}

func (s *Server) byDisplayName(name string) *tree.Entry {
	return s.only(func(e *tree.Entry) bool { return e.Has("displayName", name) })
}

func (s *Server) bySPN(name string) *tree.Entry {
	return s.only(func(e *tree.Entry) bool { return e.Has("servicePrincipalName", name) })
}

func (s *Server) bySID(name string) *tree.Entry {
	sid, err := tree.ParseSID(name)
	if err != nil || !strings.HasPrefix(name, "S-1-") {
		return nil
	}
	return s.tree.BySID(sid)
}

// only finds the one account of the domain that matches; a name that fits two is nobody's.
func (s *Server) only(matches func(*tree.Entry) bool) *tree.Entry {
	head := s.tree.Find(s.tree.Base())
	var found *tree.Entry
	for e := range s.tree.Walk(head, tree.WholeSubtree) {
		if !e.IsA("user") || !matches(e) {
			continue
		}
		if found != nil {
			return nil
		}
		found = e
	}
	return found
}
