package directory_test

import (
	"encoding/hex"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jcmturner/gokrb5/v8/iana/etypeID"
	"github.com/jcmturner/gokrb5/v8/keytab"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// kerberosLab is a lab whose domain controller gives tickets: a real one, since the fake one speaks no Kerberos.
func kerberosLab(t *testing.T) *lab {
	t.Helper()
	if os.Getenv("PASSBACK_DC_KDC") == "" {
		t.Skip("PASSBACK_DC_KDC is not set: no domain controller with a key distribution centre is named (see lab_test.go)")
	}
	l := newLab(t)
	return l
}

func (l *lab) addService(sam string) {
	l.t.Helper()
	l.addUser(sam, nil)
}

// gssapi has the agent bind by Kerberos.
func gssapi(user, password string) func(*directory.Options) {
	return func(o *directory.Options) {
		o.Kerberos, o.User, o.Password = true, user, protocol.NewSecret(password)
	}
}

func TestBindsWithATicket(t *testing.T) {
	l := kerberosLab(t)
	l.addService("svc-ticket")
	version, err := strconv.ParseUint(l.read("CN=svc-ticket,"+l.ou, "msDS-KeyVersionNumber")[0], 10, 8)
	l.must(err)
	keys := keytab.New()
	l.must(keys.AddEntry("svc-ticket", strings.ToUpper(l.domain), initialPassword, time.Now(), uint8(version), etypeID.AES256_CTS_HMAC_SHA1_96))
	for what, o := range map[string]func(*directory.Options){
		"password":             gssapi("svc-ticket@"+l.domain, initialPassword),
		"password, plain name": gssapi("svc-ticket", initialPassword),
		"keytab": func(o *directory.Options) {
			gssapi(`ORACLE\svc-ticket`, "")(o)
			o.Keytab = keys
		},
		"password, StartTLS": func(o *directory.Options) {
			gssapi("svc-ticket", initialPassword)(o)
			o.StartTLS, o.Servers = true, []string{hostOf(l.address)}
		},
	} {
		t.Run(what, func(t *testing.T) {
			c, err := l.open(o).Open(t.Context(), l.host)
			l.must(err)
			defer c.Release()
			_, guid := l.addUser("target"+hex.EncodeToString([]byte(what)), nil)
			if u := l.find(c, guid); !u.Enabled {
				t.Error("the account that was just added reads as disabled")
			}
		})
	}
}

func TestATicketThatIsRefusedIsAskedForOnce(t *testing.T) {
	l := kerberosLab(t)
	l.addService("svc-wrong")
	before := l.read(l.base, "lockoutThreshold")
	l.replace(l.base, "lockoutThreshold", "3")
	t.Cleanup(func() { l.replace(l.base, "lockoutThreshold", before...) })
	d := l.open(gssapi("svc-wrong", "Wrong-Password-1"))
	for range 5 {
		_, err := d.Open(t.Context(), l.host)
		if directory.KindOf(err) != directory.BindRefused || strings.Contains(err.Error(), "Wrong-Password-1") {
			t.Fatalf("a wrong password: %v", err)
		}
	}
	dn := "CN=svc-wrong," + l.ou
	if counted := l.read(dn, "badPwdCount"); len(counted) != 1 || counted[0] != "1" {
		t.Errorf("badPwdCount is %v, want 1", counted)
	}
	if !l.binds(dn, initialPassword) {
		t.Error("the agent has locked its own account out")
	}
}

// The fake domain controller gives no tickets, as one whose port 88 a firewall shuts.
func TestNoTicketCanBeHad(t *testing.T) {
	l := newLab(t)
	if l.fake == nil {
		t.Skip("a real domain controller may give one")
	}
	d := l.open(gssapi("svc", initialPassword))
	for range 2 {
		if _, err := d.Open(t.Context(), l.host); directory.KindOf(err) != directory.Unreachable || !errors.Is(err, directory.ErrTicket) {
			t.Errorf("%v, want that it could not be reached, to be tried again", err)
		}
	}
	if _, err := directory.New(directory.Options{Domain: "corp.example", Kerberos: true, User: "CN=svc,DC=corp,DC=example", Password: protocol.NewSecret("x")}); err == nil {
		t.Error("a DN is no principal")
	}
}
