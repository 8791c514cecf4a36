package localca_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"testing"

	"passback/localca"
)

func TestIssuedCertificateServesEachName(t *testing.T) {
	ca, err := localca.New()
	if err != nil {
		t.Fatal(err)
	}
	config, err := ca.ServerConfig("127.0.0.9", "localhost:5671", "dc1.corp.example")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"localhost", "127.0.0.1", "127.0.0.9", "localhost:5671", "dc1.corp.example"} {
		if err := handshake(t, config, &tls.Config{RootCAs: ca.Pool(), ServerName: name}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := handshake(t, config, &tls.Config{RootCAs: ca.Pool(), ServerName: "other.example"}); err == nil {
		t.Error("a name that was not asked for was accepted")
	}
	stranger, err := localca.New()
	if err != nil {
		t.Fatal(err)
	}
	if err := handshake(t, config, &tls.Config{RootCAs: stranger.Pool(), ServerName: "localhost"}); err == nil {
		t.Error("a client of another authority accepted the certificate")
	}
}

func handshake(t *testing.T, server, client *tls.Config) error {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	raw, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	return tls.Client(raw, client).Handshake()
}

func TestAClientsCertificateIsForClientsOnly(t *testing.T) {
	ca, err := localca.New()
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := ca.IssueClient("jürgen@corp.example")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := certificate.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool(), KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}}); err != nil {
		t.Error(err)
	}
	var unfit x509.CertificateInvalidError
	if _, err := certificate.Leaf.Verify(x509.VerifyOptions{Roots: ca.Pool()}); !errors.As(err, &unfit) {
		t.Errorf("as a server's: %v", err)
	}
}
