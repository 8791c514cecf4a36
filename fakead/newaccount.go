package fakead

// The password and the state of an account that is made by an LDAP Add: what unicodePwd, pwdLastSet and
// userAccountControl among the new entry's attributes ask for (MS-SAMR 3.1.1.8.10). Add judges it before the
// entry exists and gives it to the entry afterwards.

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"passback/fakead/password"
	"passback/fakead/tree"
)

// A newAccount is what an Add asks for beside the plain attributes.
type newAccount struct {
	account password.Account
	isUser  bool
	control bool // userAccountControl was given
	written bool // a password was
	dated   bool // pwdLastSet was, to be the time of the Add
}

// newAccountOf takes the account's attributes out of those of an Add, judged. The result's code is not success
// if the Add has to be refused.
func (s *Server) newAccountOf(req *request, values []tree.Value) (newAccount, []tree.Value, result) {
	n := newAccount{account: password.Account{Control: password.NormalAccount | password.AccountDisabled | password.NotRequired}}
	var rest []tree.Value
	var secrets []written
	passwords := passwordClauses{andPlain: s.userPasswordIsPassword()}
	lastSet := ""
	for _, v := range values {
		first := ""
		if len(v.Values) > 0 {
			first = string(v.Values[0])
		}
		if c := (change{name: v.Name, values: v.Values}); passwords.contain(c) {
			if len(v.Values) == 0 {
				return n, nil, passwordAtrErr(errorDSConstraintViolation, tree.LookupAttribute(v.Name).Name)
			}
			secrets = append(secrets, c.written()...)
			continue
		}
		switch strings.ToLower(v.Name) {
		case "pwdlastset":
			lastSet = first
			continue
		case "objectclass":
			n.isUser = n.isUser || namesUser(v.Values)
		case "useraccountcontrol":
			n.control = true
			number, err := strconv.ParseInt(first, 10, 64)
			if err != nil {
				rest = append(rest, v) // the tree refuses its syntax
				continue
			}
			n.account.Control = storedControl(uint32(number))
			v.Values = [][]byte{decimal(int64(int32(n.account.Control)))}
		case "samaccountname":
			n.account.Name = first
		case "displayname":
			n.account.DisplayName = first
		}
		rest = append(rest, v)
	}
	if res := s.judgeNewAccount(req, &n, secrets, lastSet); res.code != codeSuccess {
		return n, nil, res
	}
	return n, rest, result{}
}

// namesUser tells whether one of the classes is user or one below it.
func namesUser(classes [][]byte) bool {
	for _, name := range classes {
		class := tree.LookupClass(string(name))
		if class == nil {
			continue
		}
		for _, superior := range class.Chain() {
			if superior.Name == "user" {
				return true
			}
		}
	}
	return false
}

func (s *Server) judgeNewAccount(req *request, n *newAccount, secrets []written, lastSet string) result {
	now, policy := s.clock.Now(), s.policy()
	switch {
	case len(secrets) > 0 && !req.session.encrypted:
		return svcErr(errorGenFailure, "031A11E5")
	case len(secrets) > 0 && !n.isUser:
		return svcErr(errorDSIllegalModification, "031A11F6")
	case lastSet != "" && lastSet != "0" && lastSet != "-1":
		return result{code: codeOther, text: fmt.Sprintf(formatSysErr, errorInvalidParameter, "031A1260")}
	case n.control:
		if res := judgeControl(n.account.Control); res.code != codeSuccess {
			return res
		}
	}
	for i, value := range secrets {
		if value.isEmpty() {
			return s.emptyValue()
		}
		secret, ok := value.decode()
		if !ok {
			return svcErr(errorGenFailure, "031A1254")
		}
		if n.account.Judge(policy, now, secret, password.Check{}) != password.Acceptable || !s.filtersAccept(&n.account, secret, true) {
			return svcErr(errorPasswordRestriction, "031A126C")
		}
		if i == len(secrets)-1 { // of several values the last one counts
			n.account.Set(policy, now, secret, false)
			n.written = true
		}
	}
	if n.isUser && n.control && s.lacksPassword(&n.account, policy) {
		return svcErr(errorPasswordRestriction, "031A124C")
	}
	if n.account.Control&password.SmartcardRequired != 0 {
		n.account.Randomise()
		n.written = true
	}
	switch lastSet {
	case "0":
		n.account.LastSet = time.Time{}
	case "-1":
		n.account.LastSet, n.dated = now, true
	}
	return result{}
}

// give writes the account into its new entry.
func (s *Server) give(n newAccount, e *tree.Entry) {
	if !n.written && !n.dated {
		return
	}
	s.tree.AsMade(func() { saveAccount(s.setter(e), &password.Account{}, &n.account) })
}
