package oracle

// The verbs that send a request whose answer is compared.

import (
	"fmt"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

var requests map[string]func(*run, statement) (answer, error)

func init() {
	requests = map[string]func(*run, statement) (answer, error){
		"reset":    requestReset,
		"change":   requestChange,
		"modify":   requestModify,
		"add":      requestAdd,
		"delete":   requestDelete,
		"rename":   requestRename,
		"compare":  requestCompare,
		"bind":     requestBind,
		"rebind":   requestRebind,
		"search":   requestSearch,
		"read":     requestRead,
		"whoami":   requestWhoAmI,
		"extended": requestExtended,
		"moved":    requestMoved,
		"metadata": requestMetadata,
		"sync":     requestSync,
		"primary":  requestPrimary,
		"sd":       requestSD,
		"writesd":  requestWriteSD,
	}
}

// reset NAME "new" replaces unicodePwd; clauses as of modify may follow.
func requestReset(r *run, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	st.clauses = append([][]token{{{text: "replace"}, {text: "unicodePwd"}, st.args[1]}}, st.clauses...)
	return requestModify(r, st)
}

// change NAME "old" "new" deletes the old and adds the new unicodePwd; clauses as of modify may follow.
func requestChange(r *run, st statement) (answer, error) {
	if err := need(st, 3); err != nil {
		return answer{}, err
	}
	st.clauses = append([][]token{
		{{text: "delete"}, {text: "unicodePwd"}, st.args[1]},
		{{text: "add"}, {text: "unicodePwd"}, st.args[2]},
	}, st.clauses...)
	return requestModify(r, st)
}

// modify NAME|DN with clauses: add|delete|replace ATTRIBUTE [value]..., control OID ...
func requestModify(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	m := ldap.NewModifyRequest(dn, nil)
	for _, c := range st.clauses {
		if c[0].text == "control" {
			control, err := newControl(c[1:])
			if err != nil {
				return answer{}, err
			}
			m.Controls = append(m.Controls, control)
			continue
		}
		op := slices.Index([]string{"add", "delete", "replace"}, c[0].text)
		if op < 0 || len(c) < 2 {
			return answer{}, fmt.Errorf("no such clause of modify: %v", c)
		}
		values, err := r.values(c[1].text, c[2:])
		if err != nil {
			return answer{}, err
		}
		m.Changes = append(m.Changes, ldap.Change{Operation: uint(op), Modification: ldap.PartialAttribute{Type: c[1].text, Vals: values}})
	}
	return answerOf(r.conn.Modify(m))
}

func (r *run) values(attribute string, tokens []token) ([]string, error) {
	values := []string{}
	for _, t := range tokens {
		var failed error
		v, err := t.bytes(attribute, func(s string) string {
			s, failed = r.expand(s)
			return s
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, err
		}
		values = append(values, v)
	}
	return values, nil
}

// add RDN|DN with clauses: ATTRIBUTE value..., control OID ... A name without a comma lies beside the accounts.
func requestAdd(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	dn, err := r.name(st.args[0])
	if err != nil {
		return answer{}, err
	}
	if !strings.Contains(dn, ",") {
		dn += "," + r.ou
	}
	m := ldap.NewAddRequest(dn, nil)
	added := &account{name: strings.ToLower(dn[strings.IndexByte(dn, '=')+1 : strings.IndexByte(dn+",", ',')]), dn: dn}
	for _, c := range st.clauses {
		if c[0].text == "control" {
			control, err := newControl(c[1:])
			if err != nil {
				return answer{}, err
			}
			m.Controls = append(m.Controls, control)
			continue
		}
		values, err := r.values(c[0].text, c[1:])
		if err != nil {
			return answer{}, err
		}
		switch strings.ToLower(c[0].text) {
		case "objectclass":
			added.isUser = slices.Contains(values, "user") || slices.Contains(values, "computer")
		case "samaccountname":
			added.sam = strings.Join(values, "")
		case "unicodepwd", "userpassword":
			added.secret = "tried"
		}
		m.Attribute(c[0].text, values)
	}
	a, err := answerOf(r.conn.Add(m))
	if a.code == "0" {
		r.accounts = append(r.accounts, added)
	}
	return a, err
}

// delete NAME|DN, with control clauses.
func requestDelete(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	controls, err := newControls(st.clauses)
	if err != nil {
		return answer{}, err
	}
	a, err := answerOf(r.conn.Del(ldap.NewDelRequest(dn, controls)))
	if a.code == "0" {
		r.accounts = slices.DeleteFunc(r.accounts, func(gone *account) bool { return strings.HasSuffix(gone.dn, dn) })
	}
	return a, err
}

// rename NAME|DN "RDN" [SUPERIOR] [keep] is ModifyDN; keep leaves the old name as a value.
func requestRename(r *run, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	var names [3]string
	for i, arg := range st.args[:min(len(st.args), 3)] {
		name, err := r.target(arg)
		if err != nil {
			return answer{}, err
		}
		names[i] = name
	}
	keep := len(st.args) > 3
	a, err := answerOf(r.conn.ModifyDN(ldap.NewModifyDNRequest(names[0], names[1], !keep, names[2])))
	if a.code == "0" {
		_, above, _ := strings.Cut(names[0], ",")
		if names[2] != "" {
			above = names[2]
		}
		now := names[1] + "," + above
		for _, moved := range r.accounts {
			if rest, below := strings.CutSuffix(moved.dn, names[0]); below {
				moved.dn = rest + now
			}
		}
	}
	return a, err
}

// compare NAME|DN ATTRIBUTE value.
func requestCompare(r *run, st statement) (answer, error) {
	if err := need(st, 3); err != nil {
		return answer{}, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	values, err := r.values(st.args[1].text, st.args[2:])
	if err != nil {
		return answer{}, err
	}
	same, err := r.conn.Compare(dn, st.args[1].text, values[0])
	if err != nil {
		return answerOf(err)
	}
	return answer{code: map[bool]string{true: "6", false: "5"}[same]}, nil
}

// bind NAME|name "password" [clear|starttls] binds on a connection of its own.
func requestBind(r *run, st statement) (answer, error) {
	mode := "tls"
	if len(st.args) > 2 {
		mode = st.args[2].text
	}
	c, err := r.server.dial(mode)
	if err != nil {
		return answer{}, err
	}
	defer c.Close()
	return r.bindOn(c, st)
}

// rebind NAME|name "password" binds on the current connection.
func requestRebind(r *run, st statement) (answer, error) { return r.bindOn(r.conn, st) }

func (r *run) bindOn(c *ldap.Conn, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	name, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	secret, err := r.expand(st.args[1].secret())
	if err != nil {
		return answer{}, err
	}
	return bind(c, name, secret)
}

func bind(c *ldap.Conn, name, secret string) (answer, error) {
	_, err := c.SimpleBind(&ldap.SimpleBindRequest{Username: name, Password: secret, AllowEmptyPassword: true})
	return answerOf(err)
}

// whoami is RFC 4532.
func requestWhoAmI(r *run, _ statement) (answer, error) {
	who, err := r.conn.WhoAmI(nil)
	a, failed := answerOf(err)
	if who != nil {
		a.rest = who.AuthzID
	}
	return a, failed
}

// extended OID ["value"].
func requestExtended(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	request := &ldap.ExtendedRequest{Name: st.args[0].text}
	if len(st.args) > 1 {
		request.Value = octets(st.args[1].text)
	}
	_, err := r.conn.Extended(request)
	return answerOf(err)
}

// primary NAME GROUP makes a group the primary one of an account.
func requestPrimary(r *run, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	g, err := r.find(st.args[1].text)
	if err != nil {
		return answer{}, err
	}
	sid, err := r.identifier(g, "sid")
	if err != nil {
		return answer{}, err
	}
	rid := sid[strings.LastIndexByte(sid, '-')+1:]
	st.args, st.clauses = st.args[:1], [][]token{{{text: "replace"}, {text: "primaryGroupID"}, {text: rid}}}
	return requestModify(r, st)
}

// moved NAME tells whether uSNChanged has moved since the question last asked.
func requestMoved(r *run, st statement) (answer, error) {
	if err := need(st, 1); err != nil {
		return answer{}, err
	}
	a, err := r.find(st.args[0].text)
	if err != nil {
		return answer{}, err
	}
	e, err := r.server.entry(a.dn, "uSNChanged")
	if err != nil {
		return answer{}, err
	}
	now := e.GetAttributeValue("uSNChanged")
	moved := a.usn != "" && a.usn != now
	a.usn = now
	return answer{code: "0", rest: fmt.Sprintf("moved=%t", moved)}, nil
}
