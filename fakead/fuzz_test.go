package fakead_test

import (
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

// FuzzFront sends bytes after a bind: whatever they are, the server answers or closes, and lives on.
func FuzzFront(f *testing.F) {
	dc, err := fakead.New(fakead.Options{LDAPPort: -1, LDAPSPort: -1})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = dc.Close() })
	l := newPipeListener()
	go func() { _ = dc.Serve(l) }()
	for _, seed := range seedPDUs(dc.AdminDN()) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, pdu []byte) {
		exchange(t, l.dial(), dc, pdu)
		exchange(t, l.dial(), dc, nil)
	})
}

// exchange binds, sends a PDU and then an unbind, and reads until the server closes.
func exchange(t *testing.T, conn net.Conn, dc *fakead.Server, pdu []byte) {
	t.Helper()
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write(message(1, bindOperation(3, dc.AdminDN(), dc.AdminPassword())).Bytes()); err != nil {
		t.Fatalf("the server takes no bind: %v", err)
	}
	if p, err := ber.ReadPacket(conn); err != nil || p.Children[1].Children[0].Value != int64(0) {
		t.Fatalf("the bind was not answered with success: %v", err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := io.Copy(io.Discard, conn)
		ended <- err
	}()
	_, _ = conn.Write(pdu)
	if complete(pdu) {
		_, _ = conn.Write([]byte{0x30, 0x05, 0x02, 0x01, 0x7f, 0x42, 0x00}) // unbind
	} else {
		_ = conn.Close() // the server waits for the rest
	}
	if err := <-ended; errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("neither an answer nor an end after % x", pdu)
	}
}

// complete tells whether these bytes are whole elements, so that what follows them is read as another.
func complete(pdu []byte) bool {
	if len(pdu) == 0 {
		return true
	}
	p, err := ber.DecodePacketErr(pdu)
	return err == nil && len(p.Bytes()) == len(pdu)
}

func seedPDUs(dn string) [][]byte {
	presence := ber.NewString(ber.ClassContext, ber.TypePrimitive, 7, "objectClass", "")
	searchWith := func(list ...ldap.Control) []byte {
		search := message(2, searchOperation(dn, presence))
		controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "")
		for _, c := range list {
			controls.AppendChild(c.Encode())
		}
		search.AppendChild(controls)
		return search.Bytes()
	}
	rename := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 12, nil, "")
	rename.AppendChild(octets("CN=Guest," + users)) // the administrator has to stay for the next one
	rename.AppendChild(octets("CN=x"))
	rename.AppendChild(ber.NewBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, ""))
	compareOperation := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 14, nil, "")
	compareOperation.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	assertion := ber.NewSequence("")
	assertion.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "cn", ""))
	assertion.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "x", ""))
	compareOperation.AppendChild(assertion)
	extended := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 23, nil, "")
	extended.AppendChild(ber.NewString(ber.ClassContext, ber.TypePrimitive, 0, "1.3.6.1.4.1.4203.1.11.3", ""))
	return [][]byte{
		message(2, bindOperation(2, dn, "x")).Bytes(),
		searchWith(ldap.NewControlString(policyHints, true, "\x30\x03\x02\x01\x01")),
		searchWith(sortBy("-cn"), byOffset(1, 1, 1, 0)),
		searchWith(sortBy("cn"), fromValue(1, 1, "c")),
		searchWith(withValue(oidAttributeScope, sequenceOf(octets("memberOf"))), withValue(oidExtendedDN, sequenceOf(integer(1)))),
		searchWith(withValue(oidDirSync, sequenceOf(integer(1), integer(0), octets("")))),
		message(7, rename).Bytes(),
		message(3, modifyOperation(dn)).Bytes(),
		message(4, compareOperation).Bytes(),
		message(5, extended).Bytes(),
		message(6, ber.NewString(ber.ClassApplication, ber.TypePrimitive, 10, dn, "")).Bytes(),
	}
}

func modifyOperation(dn string) *ber.Packet {
	values := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSet, nil, "")
	values.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, quoted(newPassword), ""))
	attribute := ber.NewSequence("")
	attribute.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "unicodePwd", ""))
	attribute.AppendChild(values)
	change := ber.NewSequence("")
	change.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, int64(2), ""))
	change.AppendChild(attribute)
	changes := ber.NewSequence("")
	changes.AppendChild(change)
	p := ber.Encode(ber.ClassApplication, ber.TypeConstructed, 6, nil, "")
	p.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, dn, ""))
	p.AppendChild(changes)
	return p
}
