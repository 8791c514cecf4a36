package fakead_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"testing"
	"time"
)

// A clientCA is an authority of a test's own, which writes into certificates what the test wants there.
type clientCA struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newClientCA(t *testing.T) *clientCA {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
		Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}, Value: "example"},
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "Staff CA"},
		}},
	}
	ca := &clientCA{}
	ca.cert, ca.key = signed(t, template, template, nil)
	return ca
}

// signed signs a template with signer, or with its own key.
func signed(t *testing.T, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert, key
}

// issue makes a client certificate of Alice's; change makes it special.
func (ca *clientCA) issue(t *testing.T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(0x0102ff), Subject: pkix.Name{Organization: []string{"Example"}, CommonName: "Alice"}, SubjectKeyId: []byte{0xab, 0xcd},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(template)
	}
	cert, key := signed(t, template, ca.cert, ca.key)
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}
}

func (ca *clientCA) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	return pool
}

// withName adds an extension of GeneralNames with one otherName.
func withName(t *testing.T, extension, kind asn1.ObjectIdentifier, value any) func(*x509.Certificate) {
	t.Helper()
	type otherName struct {
		Type  asn1.ObjectIdentifier
		Value any `asn1:"tag:0,explicit"`
	}
	der, err := asn1.Marshal(struct {
		Name otherName `asn1:"tag:0"`
	}{otherName{kind, value}})
	if err != nil {
		t.Fatal(err)
	}
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: extension, Value: der})
	}
}

var (
	altName     = asn1.ObjectIdentifier{2, 5, 29, 17}
	upnName     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 20, 2, 3}
	sidOfClient = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2}
	nameOfSID   = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 25, 2, 1}
)
