package fakead_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"os/exec"
	"runtime"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// The linked functions of gldap are those of this version.
func TestGldapIsTheVersionThatIsLinkedTo(t *testing.T) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Version}}", "github.com/jimlambrt/gldap").Output()
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.TrimSpace(string(out)); got != "v0.1.14" {
		t.Errorf("gldap is %s: read fakead/gldap.go against its source before moving this pin from v0.1.14", got)
	}
}

const (
	textAuthMethod  = "00002027: LdapErr: DSID-0C09016D, comment: Invalid Authentication method, data 0, v4f7c\x00"
	textUnknownOID  = "0000203D: LdapErr: DSID-0C090F1B, comment: Unknown extended request OID, data 0, v4f7c\x00"
	textNotBound    = "000004DC: LdapErr: DSID-0C090A5A, comment: In order to perform this operation a successful bind must be completed on the connection., data 0, v4f7c\x00"
	textUnwilling   = "00002035: SvcErr: DSID-031A1202, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00"
	textControl     = "00000057: LdapErr: DSID-0C090CAD, comment: Error processing control, data 0, v4f7c\x00"
	textUndecodable = "00000057: LdapErr: DSID-0C0C0095, comment: Error decoding ldap message, data 0, v4f7c\x00"
)

// What gldap drops a connection for is answered, and the connection lives on.
func TestOperationsThatGldapCannotRoute(t *testing.T) {
	dc := fakead.RunT(t)
	c := asAdministrator(t, dc)
	expect(t, "compare of a value that is there", compare(c, dc.AdminDN(), "cn", "administrator"), ldap.LDAPResultCompareTrue, "")
	expect(t, "compare of another", compare(c, dc.AdminDN(), "cn", "guest"), ldap.LDAPResultCompareFalse, "")
	_, err := c.PasswordModify(ldap.NewPasswordModifyRequest(dc.AdminDN(), "a", "b"))
	expect(t, "Password Modify", err, 2, textUnknownOID)
	_, err = c.Search(&ldap.SearchRequest{BaseDN: dc.BaseDN(), Filter: "(cn=*)", Controls: []ldap.Control{ldap.NewControlString("1.2.3.4", true, "")}})
	expect(t, "unknown critical control", err, 12, textControl)
	who, err := c.WhoAmI(nil)
	if err != nil || who.AuthzID != `u:CORP\Administrator` {
		t.Errorf("Who am I? %v %v", who, err)
	}
	expect(t, "NTLM", c.NTLMBind("CORP", "Administrator", dc.AdminPassword()), 7, textAuthMethod)
	expect(t, "after a refused bind nobody is bound", c.Del(ldap.NewDelRequest(dc.AdminDN(), nil)), 1, textNotBound)
	if err := c.Bind(dc.AdminDN(), dc.AdminPassword()); err != nil {
		t.Errorf("the connection did not survive: %v", err)
	}
}

// compare returns go-ldap's answer as the result that it was.
func compare(c *ldap.Conn, dn, attribute, value string) error {
	equal, err := c.Compare(dn, attribute, value)
	switch {
	case err != nil:
		return err
	case equal:
		return &ldap.Error{ResultCode: ldap.LDAPResultCompareTrue, Err: io.EOF}
	default:
		return &ldap.Error{ResultCode: ldap.LDAPResultCompareFalse, Err: io.EOF}
	}
}

// A raw client writes bytes and reads messages.
type rawClient struct {
	t *testing.T
	net.Conn
}

func dialRaw(t *testing.T, dc *fakead.Server) rawClient {
	t.Helper()
	c, err := net.Dial("tcp", strings.TrimPrefix(dc.LDAPURL(), "ldap://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return rawClient{t, c}
}

func (c rawClient) send(packets ...*ber.Packet) {
	c.t.Helper()
	for _, p := range packets {
		if _, err := c.Write(p.Bytes()); err != nil {
			c.t.Fatal(err)
		}
	}
}

// receive reads one message: its id, the tag of its operation, result code and text.
func (c rawClient) receive() (id int64, tag ber.Tag, code int64, text string) {
	c.t.Helper()
	p, err := ber.ReadPacket(c)
	if err != nil {
		c.t.Fatalf("no answer: %v", err)
	}
	return p.Children[0].Value.(int64), p.Children[1].Tag, p.Children[1].Children[0].Value.(int64), p.Children[1].Children[2].Data.String()
}

// expectNotice reads a notice of disconnection and the end of the connection.
func (c rawClient) expectNotice(code int64, text string) {
	c.t.Helper()
	if id, tag, got, diagnostic := c.receive(); id != 0 || tag != 24 || got != code || diagnostic != text {
		c.t.Fatalf("got message %d, operation %d, code %d, %q; want a notice of disconnection, code %d, %q", id, tag, got, diagnostic, code, text)
	}
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		c.t.Error("the connection was not closed")
	}
}

func message(id int64, op *ber.Packet) *ber.Packet {
	p := ber.NewSequence("")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, ""))
	p.AppendChild(op)
	return p
}

func bindOperation(version int64, name, password string) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 0, nil, "")
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, version, ""))
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, ""))
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, password, ""))
	return p
}

func TestBindVersions(t *testing.T) {
	dc := fakead.RunT(t)
	c := dialRaw(t, dc)
	for i, want := range []struct {
		version int64
		code    int64
		text    string
	}{{2, 0, ""}, {1, 2, textUndecodable}, {4, 2, textUndecodable}, {3, 0, ""}} {
		c.send(message(int64(i+1), bindOperation(want.version, dc.AdminDN(), dc.AdminPassword())))
		if _, tag, code, text := c.receive(); tag != 1 || code != want.code || text != want.text {
			t.Errorf("version %d: operation %d, code %d, %q", want.version, tag, code, text)
		}
	}
}

func TestAbandonIsIgnored(t *testing.T) {
	dc := fakead.RunT(t)
	c := dialRaw(t, dc)
	abandon := ber.NewInteger(ber.ClassApplication, ber.TypePrimitive, 16, int64(7), "")
	c.send(message(1, bindOperation(3, dc.AdminDN(), dc.AdminPassword())), message(2, abandon), message(3, bindOperation(3, "", "")))
	for _, want := range []int64{1, 3} {
		if id, _, code, _ := c.receive(); id != want || code != 0 {
			t.Errorf("answer %d with code %d, want %d with 0", id, code, want)
		}
	}
}

// gldap by itself answers pipelined requests in any order.
func TestPipelinedRequestsAreAnsweredInOrder(t *testing.T) {
	dc := fakead.RunT(t)
	c := dialRaw(t, dc)
	const n = 300
	go func() {
		for i := range n {
			_, _ = c.Write(message(int64(i+1), bindOperation(3, dc.AdminDN(), dc.AdminPassword())).Bytes())
		}
	}()
	for i := range n {
		if id, _, code, text := c.receive(); id != int64(i+1) || code != 0 {
			t.Fatalf("answer %d was to request %d, code %d %q", i+1, id, code, text)
		}
	}
}

func TestUndecodableRequestsEndInANotice(t *testing.T) {
	dc := fakead.RunT(t)
	empties := append([]byte{0x30, 0x84, 0, 0x80, 0, 0}, bytes.Repeat([]byte{5, 0}, 4<<20)...)
	for name, pdu := range map[string][]byte{
		"no sequence":                    []byte("GET / HTTP/1.1\r\n\r\n"),
		"indefinite lengths, 8 MiB":      bytes.Repeat([]byte{0x30, 0x80}, 4<<20),
		"2 GiB announced":                {0x30, 0x84, 0x7f, 0xff, 0xff, 0xff},
		"over the limit before a bind":   {0x30, 0x83, 0x04, 0x00, 0x01},
		"8 MiB of empty elements":        empties,
		"deep nesting":                   nested(200),
		"element longer than its parent": {0x30, 0x05, 0x02, 0x01, 0x01, 0x60, 0x7f},
		"message id 0":                   message(0, bindOperation(3, "", "")).Bytes(),
		"no operation":                   {0x30, 0x03, 0x02, 0x01, 0x01},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			c := dialRaw(t, dc)
			go func() { _, _ = c.Write(pdu) }()
			c.expectNotice(2, textUndecodable)
			runtime.ReadMemStats(&after)
			if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 16 {
				t.Errorf("%d MiB were allocated for it", grown)
			}
		})
	}
}

func nested(depth int) []byte {
	p := ber.NewSequence("")
	for range depth {
		outer := ber.NewSequence("")
		outer.AppendChild(p)
		p = outer
	}
	return p.Bytes()
}

func searchOperation(base string, filter *ber.Packet) *ber.Packet {
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 3, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, base, ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(0), ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(0), ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(0), ""))
	p.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, int64(0), ""))
	p.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, false, ""))
	p.AppendChild(filter)
	p.AppendChild(ber.NewSequence(""))
	return p
}

// After a bind a request may be large, but not of endlessly many parts.
func TestLimitsAfterABind(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	c := asAdministrator(t, dc)
	large := ldap.NewModifyRequest(dnOf(t, dc, "alice"), nil)
	large.Replace("thumbnailPhoto", []string{strings.Repeat("x", 90_000)})
	large.Replace("jpegPhoto", []string{strings.Repeat("x", 1<<20)})
	if err := c.Modify(large); err != nil {
		t.Errorf("a request of a megabyte: %v", err)
	}
	raw := dialRaw(t, dc)
	raw.send(message(1, bindOperation(3, dc.AdminDN(), dc.AdminPassword())))
	if _, _, code, text := raw.receive(); code != 0 {
		t.Fatalf("bind: %d %s", code, text)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	go func() {
		_, _ = raw.Write(append([]byte{0x30, 0x84, 0, 0x80, 0, 0}, bytes.Repeat([]byte{5, 0}, 4<<20)...))
	}()
	raw.expectNotice(2, textUndecodable)
	runtime.ReadMemStats(&after)
	if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 64 {
		t.Errorf("8 MiB of empty elements: %d MiB were allocated", grown)
	}
}

func TestOperationsNeedABind(t *testing.T) {
	dc := fakead.RunT(t)
	c := connect(t, dc)
	m := ldap.NewModifyRequest(dc.AdminDN(), nil)
	m.Replace("description", []string{"x"})
	_, searched := c.Search(ldap.NewSearchRequest(dc.BaseDN(), ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil))
	for name, err := range map[string]error{
		"search": searched, "modify": c.Modify(m), "delete": c.Del(ldap.NewDelRequest(dc.AdminDN(), nil)),
		"compare": compare(c, dc.AdminDN(), "cn", "x"), "add": c.Add(ldap.NewAddRequest("CN=x", nil)),
	} {
		expect(t, name, err, 1, textNotBound)
	}
	if _, err := c.Search(ldap.NewSearchRequest("", ldap.ScopeBaseObject, 0, 0, 0, false, "(objectClass=*)", nil, nil)); err != nil {
		t.Errorf("rootDSE is for everybody: %v", err)
	}
	if who, err := c.WhoAmI(nil); err != nil || who.AuthzID != "" {
		t.Errorf("Who am I? %v %v", who, err)
	}
}

func TestCloseTellsIdleClients(t *testing.T) {
	dc, err := fakead.New(fakead.Options{})
	if err != nil {
		t.Fatal(err)
	}
	idle := dialRaw(t, dc)
	idle.send(message(1, bindOperation(3, "", "")))
	idle.receive()
	silent, err := tls.Dial("tcp", strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"), &tls.Config{RootCAs: dc.CA().Pool()})
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	if err := dc.Close(); err != nil {
		t.Fatal(err)
	}
	idle.expectNotice(52, "0000203A: LdapErr: DSID-0C060352, comment: The server is shutting down, data 0, v4f7c\x00")
	if _, err := net.Dial("tcp", strings.TrimPrefix(dc.LDAPURL(), "ldap://")); err == nil {
		t.Error("the port still answers")
	}
	if err := dc.Close(); err != nil {
		t.Errorf("a second Close: %v", err)
	}
}

func TestTheIdlestConnectionMakesRoom(t *testing.T) {
	dc := fakead.RunT(t, fakead.Options{MaxConnections: 2})
	first, second := dialRaw(t, dc), dialRaw(t, dc)
	for _, c := range []rawClient{first, second, first} { // second is the one that has been idle longest
		c.send(message(1, bindOperation(3, "", "")))
		c.receive()
	}
	third := dialRaw(t, dc)
	for name, c := range map[string]rawClient{"first": first, "third": third} {
		c.send(message(2, bindOperation(3, "", "")))
		if _, _, code, _ := c.receive(); code != 0 {
			t.Errorf("%s: code %d", name, code)
		}
	}
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Errorf("the idlest connection is still open: it read %d bytes", n)
	}
}

func TestStartTLS(t *testing.T) {
	dc := fakead.RunT(t)
	seed(t, dc, fakead.User{SAM: "alice"})
	c, err := ldap.DialURL(dc.LDAPURL())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.Bind("alice@corp.example", oldPassword); err != nil {
		t.Fatal(err)
	}
	dn := dnOf(t, dc, "alice")
	expect(t, "change in clear text", c.Modify(changeRequest(dn, oldPassword, newPassword)), 53,
		"0000001F: SvcErr: DSID-031A11E5, problem 5003 (WILL_NOT_PERFORM), data 0\n\x00")
	if err := c.StartTLS(&tls.Config{RootCAs: dc.CA().Pool(), ServerName: "dc1.corp.example"}); err != nil {
		t.Fatal(err)
	}
	if err := c.Modify(changeRequest(dn, oldPassword, newPassword)); err != nil {
		t.Errorf("change under StartTLS: %v", err)
	}
}

func TestStartTLSUnderTLS(t *testing.T) {
	dc := fakead.RunT(t)
	secured, err := tls.Dial("tcp", strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"), &tls.Config{RootCAs: dc.CA().Pool()})
	if err != nil {
		t.Fatal(err)
	}
	defer secured.Close()
	c := rawClient{t, secured}
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 23, nil, "")
	p.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.3.6.1.4.1.1466.20037", ""))
	c.send(message(1, p))
	if _, tag, code, text := c.receive(); tag != 24 || code != 1 || text != "00000000: LdapErr: DSID-0C090ED4, comment: TLS or SSL already in effect, data 0, v4f7c\x00" {
		t.Errorf("operation %d, code %d, %q", tag, code, text)
	}
	c.send(message(2, bindOperation(3, "", "")))
	if _, _, code, _ := c.receive(); code != 0 {
		t.Errorf("afterwards the connection answers %d", code)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	for want, o := range map[string]fakead.Options{ // by what the error says
		`domain "corp"`:           {Domain: "corp"},
		`NetBIOS name "not this"`: {NetBIOS: "not this"},
		`operating system "NT4" is not one of 2012R2, 2016, 2019, 2022, 2025`: {OS: "NT4"},
		`listen address "here"`:                {Listen: "here"},
		"address already in use (port 0 picks": {LDAPPort: port},
	} {
		dc, err := fakead.New(o)
		if err == nil {
			_ = dc.Close()
			t.Errorf("what should fail with %q was taken", want)
			continue
		}
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
}

// A client may send the handshake right behind its request; what it sends in clear there is no request.
func TestWhatFollowsStartTLSIsPartOfTheHandshake(t *testing.T) {
	dc := fakead.RunT(t)
	c := dialRaw(t, dc)
	startTLS := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 23, nil, "")
	startTLS.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.3.6.1.4.1.1466.20037", ""))
	injected := message(2, bindOperation(3, "", ""))
	if _, err := c.Write(append(message(1, startTLS).Bytes(), injected.Bytes()...)); err != nil {
		t.Fatal(err)
	}
	if id, _, code, _ := c.receive(); id != 1 || code != 0 {
		t.Fatalf("StartTLS: message %d, code %d", id, code)
	}
	if answer, _ := io.ReadAll(c); bytes.HasPrefix(answer, []byte{0x30}) {
		t.Errorf("a bind in clear behind StartTLS was answered with % x", answer)
	}
	c = dialRaw(t, dc)
	hello := &firstWrite{Conn: c, before: message(1, startTLS).Bytes()}
	secured := tls.Client(hello, &tls.Config{RootCAs: dc.CA().Pool(), ServerName: "dc1.corp.example"})
	if err := secured.Handshake(); err != nil {
		t.Errorf("a handshake behind StartTLS: %v", err)
	}
}

// firstWrite sends something before what is written first, and reads the answer to it before anything else.
type firstWrite struct {
	net.Conn
	before []byte
}

func (w *firstWrite) Write(p []byte) (int, error) {
	if w.before == nil {
		return w.Conn.Write(p)
	}
	both := append(w.before, p...)
	w.before = nil
	if _, err := w.Conn.Write(both); err != nil {
		return 0, err
	}
	_, err := ber.ReadPacket(w.Conn)
	return len(p), err
}
