package protocol_test

import (
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"testing"
	"time"

	"passback/writeback/protocol"
)

// A token stands for a key that never leaves its device: all that can be had of it is an agreement.
type token struct {
	thumbprint string
	key        ecdh.KeyExchanger
	removed    bool
}

const sealedPassword = "Correct-Horse-7"

var errRemoved = errors.New("the token was removed")

func (k token) Thumbprint() string { return k.thumbprint }

func (k token) ECDH(ephemeral *ecdh.PublicKey) ([]byte, error) {
	if k.removed {
		return nil, errRemoved
	}
	return k.key.ECDH(ephemeral)
}

func TestATokenOpensWhatIsSealedToIt(t *testing.T) {
	now := time.Date(2025, 4, 1, 12, 0, 0, 0, time.UTC)
	file := newKey(t)
	for name, c := range map[string]struct {
		key  protocol.Decrypter
		want error
	}{
		"a token":         {token{thumbprint: file.Thumbprint(), key: exchangerOf(t, file)}, nil},
		"another's token": {token{thumbprint: file.Thumbprint(), key: exchangerOf(t, newKey(t))}, protocol.ErrTampered},
		"a removed token": {token{thumbprint: file.Thumbprint(), removed: true}, protocol.ErrNoRecipient},
	} {
		t.Run(name, func(t *testing.T) {
			body, err := protocol.SealEnrolResponse(file.Public(), enrolResponse(t, now))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := protocol.OpenEnrolResponse([]protocol.Decrypter{c.key}, body); !errors.Is(err, c.want) {
				t.Errorf("an enrolment's answer: %v, want %v", err, c.want)
			}
			for _, others := range [][]protocol.PublicKey{nil, {newKey(t).Public(), newKey(t).Public()}} {
				secrets, err := protocol.OpenSecrets(requestTo(t, now, append(others, file.Public())), []protocol.Decrypter{newKey(t), c.key})
				if !errors.Is(err, c.want) || (err == nil) != (secrets.New.Reveal() == sealedPassword) {
					t.Errorf("a request to %d keys: %v, want %v", len(others)+1, err, c.want)
				}
			}
		})
	}
}

// exchangerOf is the key in another shape, as if it had been made on a device.
func exchangerOf(t *testing.T, key protocol.PrivateKey) ecdh.KeyExchanger {
	t.Helper()
	exchanger, err := ecdsaOf(t, key).ECDH()
	if err != nil {
		t.Fatal(err)
	}
	return exchanger
}

// ecdsaOf reads a key as any other program would.
func ecdsaOf(t *testing.T, key protocol.PrivateKey) *ecdsa.PrivateKey {
	t.Helper()
	text, err := key.PEM()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return parsed.(*ecdsa.PrivateKey)
}

func requestTo(t *testing.T, now time.Time, to []protocol.PublicKey) protocol.Package {
	t.Helper()
	key, err := protocol.NewPackageKey()
	if err != nil {
		t.Fatal(err)
	}
	p, err := protocol.OpenRequest([]protocol.PackageKey{key}, "contoso", sealTo(t, key, now, to))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// sealTo is a request to these agents.
func sealTo(t *testing.T, key protocol.PackageKey, now time.Time, to []protocol.PublicKey) protocol.Message {
	t.Helper()
	m, err := protocol.SealRequest(key, protocol.Request{
		TrackingID: vectorID, Tenant: "contoso", Operation: protocol.AdminReset, CloudAnchor: "User_8a1d2c3e-0000-4000-8000-000000000001", SourceAnchor: "AAECAwQFBgcICQoLDA0ODw==",
		UPN: "alice@corp.example", Domain: "corp.example", DC: "dc1.corp.example", Actor: "admin@corp.example",
		IssuedAt: now, Deadline: now.Add(time.Minute), ReplySession: "front-1",
	}, protocol.Secrets{New: protocol.NewSecret(sealedPassword)}, to)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
