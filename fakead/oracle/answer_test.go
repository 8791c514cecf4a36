package oracle

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// An answer is what one server has to say about one thing: the result of a request, or a piece of the state after
// the requests.
type answer struct {
	about string // the number of the request, or the account and what of it
	code  string // result code of a request
	win32 string // first eight hexadecimal digits of the diagnostic message, or nothing
	rest  string // what was found, or the state
}

func (a answer) String() string {
	text := strings.Join(strings.Fields(a.code+" "+a.win32+" "+a.rest), " ")
	if text == "" {
		return "none"
	}
	return text
}

// sameAs compares an answer of the real server with the fake's. A real server that says nothing in its diagnostic
// message is not contradicted.
func (a answer) sameAs(fake answer) bool {
	return a.code == fake.code && a.rest == fake.rest && (a.win32 == fake.win32 || a.win32 == "")
}

var (
	win32Code = regexp.MustCompile(`^[0-9A-Fa-f]{8}:`)
	bindData  = regexp.MustCompile(`, data ([0-9a-f]+),`)
)

// samba12 is what the LDAP library says of 12, unavailableCriticalExtension, from Samba: that comes as an extended
// response, whatever the request was. (A search would wait for its end for ever: questions ask other operations.)
const samba12 = "unexpected response: 24"

// answerOf makes an answer of a request's error. It is not an answer if the connection broke.
func answerOf(err error) (answer, error) {
	if err == nil {
		return answer{code: "0"}, nil
	}
	if strings.Contains(err.Error(), samba12) {
		return answer{code: "12"}, nil
	}
	var e *ldap.Error
	if !errors.As(err, &e) || e.ResultCode >= ldap.ErrorNetwork {
		return answer{}, fmt.Errorf("not an answer: %w", err)
	}
	a := answer{code: fmt.Sprint(e.ResultCode)}
	text := e.Err.Error()
	if win32Code.MatchString(text) && e.ResultCode != ldap.LDAPResultSuccess {
		a.win32 = strings.ToUpper(text[:8])
	}
	if data := bindData.FindStringSubmatch(text); data != nil && e.ResultCode == ldap.LDAPResultInvalidCredentials {
		a.rest = data[1]
	}
	return a, nil
}
