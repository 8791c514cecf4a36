package oracle

// The state of every account after the requests, compared with the other server's: what moved of its attributes,
// and which of the passwords that the question mentions let it in.

import (
	"fmt"
	"strings"
)

// stateAttributes are compared of every user.
var stateAttributes = []string{
	"pwdLastSet", "lockoutTime", "badPwdCount", "badPasswordTime", "userAccountControl", "msDS-User-Account-Control-Computed",
	"extensionName", "description",
}

func (r *run) state(a *account) (map[string]string, error) {
	e, err := r.server.entry(a.dn, stateAttributes...)
	if err != nil {
		return nil, err
	}
	state := map[string]string{}
	for _, name := range stateAttributes {
		state[name] = strings.Join(e.GetAttributeValues(name), "|")
	}
	return state, nil
}

// before notes the state that the requests begin with.
func (r *run) before() error {
	for _, a := range r.accounts {
		if !a.isUser {
			continue
		}
		state, err := r.state(a)
		if err != nil {
			return err
		}
		a.before = state
	}
	return nil
}

// after adds the state to the answers, and then tries the passwords.
func (r *run) after() error {
	for _, a := range r.accounts {
		if !a.isUser {
			continue
		}
		state, err := r.state(a)
		if err != nil {
			return err
		}
		for _, name := range stateAttributes {
			r.answers = append(r.answers, answer{about: a.name + "." + name, rest: describeState(name, state[name], a.before)})
		}
	}
	return r.tryPasswords()
}

// describeState says of a time whether it moved, and gives all else as it is.
func describeState(name, now string, before map[string]string) string {
	switch {
	case now == "" || now == "0" || !times[strings.ToLower(name)]:
		return now
	case before != nil && now == before[name]:
		return "unchanged"
	default:
		return "new"
	}
}

// tryPasswords binds with each password that was written. Accounts without a password are not tried.
func (r *run) tryPasswords() error {
	for _, a := range r.accounts {
		if !a.isUser || a.secret == "" {
			continue
		}
		for i, secret := range r.secrets {
			if secret == "" { // would be an unauthenticated bind
				continue
			}
			c, err := r.server.dial("tls")
			if err != nil {
				return err
			}
			admitted, err := bind(c, a.dn, secret)
			c.Close()
			if err != nil {
				return err
			}
			admitted.about = fmt.Sprintf("%s.password%d", a.name, i+1)
			r.answers = append(r.answers, admitted)
		}
	}
	return nil
}
