package oracle

// DirSync, as both servers answer it.

import (
	"fmt"

	"github.com/go-ldap/ldap/v3"
)

const incrementalValues = 1 << 31

// sync [incremental] [ATTRIBUTE]... tells what has changed of accounts of the question since the last sync.
func requestSync(r *run, st statement) (answer, error) {
	var attributes []string
	flags := int64(0)
	for _, t := range st.args {
		if t.text == "incremental" {
			flags = incrementalValues
			continue
		}
		attributes = append(attributes, t.text)
	}
	filter := fmt.Sprintf("(sAMAccountName=%s.*)", samPrefix(r.question.id))
	var entries []*ldap.Entry
	for more := true; more; {
		s := ldap.NewSearchRequest(r.server.base, ldap.ScopeWholeSubtree, ldap.NeverDerefAliases, 0, 0, false, filter, attributes, nil)
		found, err := r.conn.DirSync(s, flags, 1<<30, r.cookie)
		if a, failed := answerOf(err); a.code != "0" || failed != nil {
			return a, failed
		}
		control, _ := ldap.FindControl(found.Controls, ldap.ControlTypeDirSync).(*ldap.ControlDirSync)
		if control == nil {
			return answer{}, fmt.Errorf("DirSync was answered without a cookie")
		}
		r.cookie, more = control.Cookie, control.Flags != 0
		entries = append(entries, found.Entries...)
	}
	return answer{code: "0", rest: r.describe(entries)}, nil
}
