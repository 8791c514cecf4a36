package oracle

// The verbs that set something up. What fails here fails the question: nothing is compared.

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/go-ldap/ldap/v3"

	"passback/clock"
)

var setups map[string]func(*run, statement) error

func init() {
	setups = map[string]func(*run, statement) error{
		"policy":       setupPolicy,
		"heuristics":   setupHeuristics,
		"user":         setupUser,
		"group":        setupGroup,
		"ou":           setupOU,
		"pso":          setupPSO,
		"many":         setupMany,
		"as":           setupAs,
		"wait":         setupWait,
		"unlocked":     setupUnlocked,
		"delegate":     setupDelegate,
		"cannotchange": setupCannotChange,
		"acl":          setupACL,
		"secret":       setupSecret,
	}
}

// policy length=8 ... changes the domain's policy for the rest of the question.
func setupPolicy(r *run, st statement) error {
	p, err := r.policy.overridden(st.args)
	if err != nil {
		return err
	}
	r.policy = p
	return r.server.setPolicy(p)
}

// heuristics 000000001 sets dSHeuristics for the rest of the question; none removes it.
func setupHeuristics(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	value := st.args[0].text
	if value == "none" {
		value = ""
	}
	return r.server.setHeuristics(value)
}

// user NAME ["password" | none] [attribute=value | attribute:"value"]... adds an account.
func setupUser(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	a := r.newAccount(st.args[0].text)
	a.isUser, a.secret = true, firstSecret
	m := ldap.NewAddRequest(a.dn, nil)
	m.Attribute("objectClass", []string{"user"})
	m.Attribute("sAMAccountName", []string{a.sam})
	control := "512"
	for _, arg := range st.args[1:] {
		name, value, ok := strings.Cut(arg.text, "=")
		switch {
		case arg.isSecret():
			a.secret = arg.secret()
		case arg.quoted:
			m.Attribute(arg.kind, []string{arg.text})
		case ok && name != "userAccountControl":
			m.Attribute(name, []string{value})
		case ok:
			control = value
		case arg.text == "none":
			a.secret, control = "", "514"
		default:
			return fmt.Errorf("user: what is %q?", arg.text)
		}
	}
	m.Attribute("userAccountControl", []string{control})
	if a.secret != "" {
		m.Attribute("unicodePwd", []string{encodeUTF16(`"` + a.secret + `"`)})
		r.secrets = appendNew(r.secrets, a.secret)
	}
	if err := r.server.admin.Add(m); err != nil {
		return fmt.Errorf("add user %s: %w", a.name, err)
	}
	return nil
}

func (r *run) newAccount(name string) *account {
	a := &account{name: name, dn: "CN=" + name + "," + r.ou, sam: samPrefix(r.question.id) + "." + name}
	r.accounts = append(r.accounts, a)
	return a
}

// samPrefix begins the sAMAccountNames of a question's accounts.
func samPrefix(id string) string { return strings.NewReplacer("-", "", ".", "").Replace(id) }

// group NAME [member...] [attribute=value]... adds a group.
func setupGroup(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	g := r.newAccount(st.args[0].text)
	m := ldap.NewAddRequest(g.dn, nil)
	m.Attribute("objectClass", []string{"group"})
	m.Attribute("sAMAccountName", []string{g.sam})
	var members []string
	for _, arg := range st.args[1:] {
		if name, value, ok := strings.Cut(arg.text, "="); ok {
			m.Attribute(name, []string{value})
			continue
		}
		member, err := r.find(arg.text)
		if err != nil {
			return err
		}
		members = append(members, member.dn)
	}
	if members != nil {
		m.Attribute("member", members)
	}
	if err := r.server.admin.Add(m); err != nil {
		return fmt.Errorf("add group %s: %w", g.name, err)
	}
	return nil
}

// ou NAME adds an organizational unit beside the accounts.
func setupOU(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	u := r.newAccount(st.args[0].text)
	u.dn = "OU=" + u.name + "," + r.ou
	return r.server.addOU(u.dn)
}

// many N adds as many contacts beside the accounts.
func setupMany(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	n, err := strconv.Atoi(st.args[0].text)
	if err != nil {
		return err
	}
	for i := range n {
		m := ldap.NewAddRequest(fmt.Sprintf("CN=contact%d,%s", i, r.ou), nil)
		m.Attribute("objectClass", []string{"contact"})
		if err := r.server.admin.Add(m); err != nil {
			return fmt.Errorf("add contact %d: %w", i, err)
		}
	}
	return nil
}

// as WHO[#n] ["password"] [clear|tls|starttls|gc] [unbound] goes on as somebody, on a connection of that name.
func setupAs(r *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	who, mode, secret := st.args[0].text, "tls", ""
	label := who
	for _, arg := range st.args[1:] {
		if arg.quoted {
			secret = arg.text
			continue
		}
		mode, label = arg.text, label+" "+arg.text
	}
	if c := r.connections[label]; c != nil {
		r.conn = c
		return nil
	}
	c, err := r.server.dial(mode)
	if err != nil {
		return err
	}
	r.connections[label], r.conn = c, c
	name, _, _ := strings.Cut(who, "#")
	switch name {
	case "nobody":
		return nil
	case "admin":
		return c.Bind(r.server.adminDN(), r.server.adminPassword)
	}
	a, err := r.find(name)
	if err != nil {
		return err
	}
	if secret == "" {
		secret = a.secret
	}
	if err := c.Bind(a.dn, secret); err != nil {
		return fmt.Errorf("bind as %s: %w", name, err)
	}
	return nil
}

// wait 2s lets time pass, where the question is about time.
func setupWait(_ *run, st statement) error {
	if err := need(st, 1); err != nil {
		return err
	}
	d, err := time.ParseDuration(st.args[0].text)
	if err != nil {
		return err
	}
	return clock.Sleep(context.Background(), clock.Real(), d)
}

// unlocked NAME waits until the directory says that a lockout has run out.
func setupUnlocked(r *run, st statement) error {
	const computed = "msDS-User-Account-Control-Computed"
	if err := need(st, 1); err != nil {
		return err
	}
	a, err := r.find(st.args[0].text)
	if err != nil {
		return err
	}
	for range 200 {
		e, err := r.server.entry(a.dn, computed)
		if err != nil {
			return err
		}
		if e.GetAttributeValue(computed) == "0" {
			return nil
		}
		if err := clock.Sleep(context.Background(), clock.Real(), 50*time.Millisecond); err != nil {
			return err
		}
	}
	return fmt.Errorf("%s is still locked after 10 s", a.name)
}

// secret "text"... are tried in the end too.
func setupSecret(r *run, st statement) error {
	for _, arg := range st.args {
		r.secrets = appendNew(r.secrets, arg.secret())
	}
	return nil
}

func appendNew(list []string, s string) []string {
	for _, have := range list {
		if have == s {
			return list
		}
	}
	return append(list, s)
}
