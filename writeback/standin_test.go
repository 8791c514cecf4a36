package writeback

import (
	"bytes"
	"crypto/tls"
	"net"
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"passback/fakead"
)

const (
	firstHost  = "dc1.corp.example"
	secondHost = "dc2.corp.example" // as long as the first, so that one can stand for the other on the wire
)

// A standIn is a controller with the data of another: it says that it is the second, and what else is exchanged.
type standIn struct {
	exchanged [][2]string // texts of one length: what the first says, and what its stand-in says
	refers    bool        // it answers each modify by a referral, as a read-only controller does
}

// serve returns the address at which dc's stand-in listens.
func (s standIn) serve(t *testing.T, dc *fakead.Server) string {
	t.Helper()
	s.exchanged = append(s.exchanged, [2]string{firstHost, secondHost})
	config, err := dc.CA().ServerConfig(secondHost)
	if err != nil {
		t.Fatal(err)
	}
	l, err := tls.Listen("tcp", "127.0.0.1:0", config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go s.connect(client, dc)
		}
	}()
	return l.Addr().String()
}

func (s standIn) connect(client net.Conn, dc *fakead.Server) {
	defer client.Close()
	server, err := tls.Dial("tcp", strings.TrimPrefix(dc.LDAPSURL(), "ldaps://"), &tls.Config{RootCAs: dc.CA().Pool()})
	if err != nil {
		return
	}
	defer server.Close()
	go s.answers(client, server)
	s.requests(client, server)
}

// requests passes on each, or answers it.
func (s standIn) requests(client, server net.Conn) {
	defer server.Close()
	for {
		request, err := ber.ReadPacket(client)
		if err != nil {
			return
		}
		if s.refers && request.Children[1].Tag == ldap.ApplicationModifyRequest {
			if _, err := client.Write(referral(request.Children[0].Value.(int64))); err != nil {
				return
			}
			continue
		}
		text := request.Bytes()
		for _, pair := range s.exchanged {
			text = bytes.ReplaceAll(text, []byte(pair[1]), []byte(pair[0]))
		}
		if _, err := server.Write(text); err != nil {
			return
		}
	}
}

// answers passes on each until one side ends.
func (s standIn) answers(client, server net.Conn) {
	defer client.Close()
	for {
		answer, err := ber.ReadPacket(server)
		if err != nil {
			return
		}
		text := answer.Bytes()
		for _, pair := range s.exchanged {
			text = bytes.ReplaceAll(text, []byte(pair[0]), []byte(pair[1]))
		}
		if _, err := client.Write(text); err != nil {
			return
		}
	}
}

// referral is a ModifyResponse as a read-only controller gives it (RFC 4511 4.1.10).
func referral(id int64) []byte {
	message := ber.NewSequence("LDAPMessage")
	message.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, id, "messageID"))
	response := ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationModifyResponse, nil, "ModifyResponse")
	response.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagEnumerated, ldap.LDAPResultReferral, "resultCode"))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "", "matchedDN"))
	response.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "0000202B: RefErr: DSID-0310082F, data 0, 1 access points", "diagnosticMessage"))
	uris := ber.Encode(ber.ClassContext, ber.TypeConstructed, 3, nil, "referral")
	uris.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, "ldap://"+firstHost+"/DC=corp,DC=example", "URI"))
	response.AppendChild(uris)
	message.AppendChild(response)
	return message.Bytes()
}
