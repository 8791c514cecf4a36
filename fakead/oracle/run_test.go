package oracle

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// A run is one question on its way through one server.
type run struct {
	server   *server
	question *question
	policy   policy
	ou       string
	accounts []*account
	secrets  []string // met so far, in order; in the end each is tried on each account

	conn        *ldap.Conn
	connections map[string]*ldap.Conn
	requests    int    // so far
	cookie      []byte // of the last sync
	headChanged bool   // the rights on the domain's head were changed
	answers     []answer
}

// An account, or another entry, that the question added.
type account struct {
	name, dn, sam string
	secret        string // its first password; empty: it is not tried
	isUser        bool
	before        map[string]string // its state before the first request
	usn           string
}

const firstSecret = "Winter-2026!" // of a user whose password the question does not give

// ask runs a question on a server and returns all its answers.
func ask(s *server, q *question) ([]answer, error) {
	r := &run{server: s, question: q, policy: basePolicy(), ou: "OU=" + q.id + "," + s.container(), connections: map[string]*ldap.Conn{}}
	defer r.close()
	if err := r.prepare(); err != nil {
		return nil, err
	}
	for _, st := range q.statements {
		if err := r.perform(st); err != nil {
			return nil, fmt.Errorf("%s, %s server: %w", st.where, s.name, err)
		}
	}
	if err := r.after(); err != nil {
		return nil, fmt.Errorf("%s, %s server, state afterwards: %w", q.id, s.name, err)
	}
	if r.headChanged {
		if err := s.restoreHead(); err != nil {
			return nil, err
		}
	}
	return r.answers, nil
}

func (r *run) prepare() error {
	if err := r.server.setPolicy(basePolicy()); err != nil {
		return err
	}
	if err := r.server.setHeuristics(""); err != nil {
		return err
	}
	if err := r.server.addOU(r.ou); err != nil {
		return err
	}
	r.conn = r.server.admin
	return nil
}

func (r *run) close() {
	for _, c := range r.connections {
		c.Close()
	}
}

func (r *run) perform(st statement) error {
	if setup, ok := setups[st.verb]; ok {
		return setup(r, st)
	}
	for _, a := range append(st.args, flatten(st.clauses)...) {
		if a.isSecret() {
			r.remember(a.secret(), st)
		}
	}
	if r.requests == 0 && !st.given {
		if err := r.before(); err != nil {
			return err
		}
	}
	a, err := requests[st.verb](r, st)
	if err != nil {
		return err
	}
	if st.given {
		if a.code != "0" {
			return fmt.Errorf("it has to succeed, but the answer is %s", a)
		}
		return nil
	}
	r.requests++
	a.about = fmt.Sprint(r.requests)
	r.answers = append(r.answers, a)
	return nil
}

func flatten(clauses [][]token) []token {
	var all []token
	for _, c := range clauses {
		all = append(all, c...)
	}
	return all
}

// writesSecrets are the verbs in whose quoted strings passwords are looked for.
var writesSecrets = map[string]bool{"reset": true, "change": true, "modify": true, "add": true, "bind": true, "rebind": true}

// remember keeps what was written as a password.
func (r *run) remember(secret string, st statement) {
	if !writesSecrets[st.verb] || strings.ContainsAny(secret, "{=") {
		return
	}
	for _, s := range r.secrets {
		if s == secret {
			return
		}
	}
	r.secrets = append(r.secrets, secret)
}

func (r *run) find(name string) (*account, error) {
	for _, a := range r.accounts {
		if a.name == name {
			return a, nil
		}
	}
	return nil, fmt.Errorf("the question has no account %q", name)
}

var placeholder = regexp.MustCompile(`\{[a-zA-Z0-9.]+\}`)

// expand replaces what stands between braces.
func (r *run) expand(text string) (string, error) {
	var failed error
	text = placeholder.ReplaceAllStringFunc(text, func(p string) string {
		value, err := r.lookup(p[1 : len(p)-1])
		if err != nil {
			failed = err
		}
		return value
	})
	return text, failed
}

func (r *run) lookup(name string) (string, error) {
	switch name {
	case "base":
		return r.server.base, nil
	case "ou":
		return r.ou, nil
	case "domain":
		return r.server.domain, nil
	case "netbios":
		return r.server.netbios, nil
	case "admin":
		return r.server.adminDN(), nil
	case "adminpassword":
		return r.server.adminPassword, nil
	}
	name, what, _ := strings.Cut(name, ".")
	a, err := r.find(name)
	if err != nil {
		return "", err
	}
	switch what {
	case "":
		return a.dn, nil
	case "sam":
		return a.sam, nil
	case "upn":
		return a.sam + "@" + r.server.domain, nil
	}
	return r.identifier(a, what)
}

// name expands one argument.
func (r *run) name(t token) (string, error) { return r.expand(t.text) }

// target is the DN of an account by its name, or what is written.
func (r *run) target(t token) (string, error) {
	if a, err := r.find(t.text); err == nil && !t.quoted {
		return a.dn, nil
	}
	return r.expand(t.text)
}

// need counts the arguments of a statement.
func need(st statement, n int) error {
	if len(st.args) < n {
		return fmt.Errorf("%s takes at least %d arguments", st.verb, n)
	}
	return nil
}
