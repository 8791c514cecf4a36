// Package localca is the certificate authority of one process: what the fakes and the sandbox serve TLS with.
//
// A new authority is made at each start and its key never leaves memory, so that trusting it costs nothing
// once the process is gone. Keys are ECDSA P-256. It stands beside clock, below everything, because fakead and
// fakerelay both need one and never import each other.
package localca

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"

	"passback/clock"
)

// Valid from the day before 2000, where the clock of a testing/synctest bubble starts.
var notBefore = time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)

// lifetime of a certificate, counted from its making: a sandbox may run for long.
const lifetime = 5 * 365 * 24 * time.Hour

// An Authority issues certificates for servers on this machine, and for their clients.
type Authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

// New makes an authority with a fresh key.
func New() (*Authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("make the authority's key: %w", err)
	}
	template, err := newTemplate("passback local CA")
	if err != nil {
		return nil, err
	}
	template.IsCA = true
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, fmt.Errorf("sign the authority's certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("parse the authority's certificate: %w", err)
	}
	return &Authority{cert: cert, key: key}, nil
}

// IssueClient makes a certificate for client authentication, for the account with this user principal name.
func (a *Authority) IssueClient(upn string) (tls.Certificate, error) {
	template, err := newTemplate(upn)
	if err != nil {
		return tls.Certificate{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	names, err := asn1.Marshal(generalNames{otherName{Type: userPrincipalName, Value: upn}})
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("write the user principal name %q: %w", upn, err)
	}
	template.ExtraExtensions = []pkix.Extension{{Id: subjectAltName, Value: names}}
	return a.sign(template)
}

var (
	subjectAltName    = asn1.ObjectIdentifier{2, 5, 29, 17}
	userPrincipalName = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
)

// generalNames are GeneralNames of RFC 5280 4.2.1.6 with one otherName, whose value is a UTF8String.
type generalNames struct {
	Name otherName `asn1:"tag:0"`
}

type otherName struct {
	Type  asn1.ObjectIdentifier
	Value string `asn1:"tag:0,explicit,utf8"`
}

// Issue makes a server certificate for names: IP addresses and DNS names, always localhost, 127.0.0.1 and this
// machine's name too, which OpenLDAP's clients check where they were told localhost. A name may be literally host:port,
// which is what azservicebus v1.11 checks a connection string's host against.
func (a *Authority) Issue(names ...string) (tls.Certificate, error) {
	template, err := newTemplate("passback")
	if err != nil {
		return tls.Certificate{}, err
	}
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	own := []string{"localhost", "127.0.0.1"}
	if host, err := os.Hostname(); err == nil && host != "" {
		own = append(own, host)
	}
	for _, name := range append(own, names...) {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	return a.sign(template)
}

// sign makes a certificate of a template, with a fresh key.
func (a *Authority) sign(template *x509.Certificate) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("make a key: %w", err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("sign a certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("parse a certificate: %w", err)
	}
	return tls.Certificate{Certificate: [][]byte{der, a.cert.Raw}, PrivateKey: key, Leaf: leaf}, nil
}

// ServerConfig is Issue as a configuration: TLS 1.2 at least.
func (a *Authority) ServerConfig(names ...string) (*tls.Config, error) {
	cert, err := a.Issue(names...)
	if err != nil {
		return nil, err
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// Pool holds the authority alone, for clients.
func (a *Authority) Pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// PEM is the authority's certificate, for clients that read a file.
func (a *Authority) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw})
}

func newTemplate(commonName string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("draw a serial number: %w", err)
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: commonName},
		NotBefore:    notBefore,
		NotAfter:     clock.Real().Now().Add(lifetime),
	}, nil
}
