package targets

import (
	"context"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-ldap/ldap/v3"

	"passback/clock"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// Forged requests: sealed by one who has stolen an agent's whole state folder, which holds the tenant's package key. It
// is the most that anyone but the cloud can have.

// loot is what a state folder gives.
type loot struct {
	key      protocol.PrivateKey
	enrolled protocol.EnrolResponse
	raw      map[string][]byte // package keys by kid
}

// Files of an agent's state folder.
const (
	stolenKey       = "agent.key"
	stolenEnrolment = "enrolment.jwe"
)

func steal(stateDir string) (l loot, err error) {
	text, err := os.ReadFile(filepath.Join(stateDir, stolenKey))
	if err != nil {
		return l, fmt.Errorf("an agent's key: %w", err)
	}
	if l.key, err = protocol.ParsePrivateKey(text); err != nil {
		return l, err
	}
	sealed, err := os.ReadFile(filepath.Join(stateDir, stolenEnrolment))
	if err != nil {
		return l, fmt.Errorf("an agent's enrolment: %w", err)
	}
	if l.enrolled, err = protocol.OpenEnrolResponse([]protocol.Decrypter{l.key}, sealed); err != nil {
		return l, err
	}
	l.raw, err = packageKeys(text, sealed)
	return l, err
}

// packageKeys reads the keys themselves, which protocol keeps to itself.
func packageKeys(keyPEM, sealed []byte) (map[string][]byte, error) {
	block, _ := pem.Decode(keyPEM)
	if block == nil {
		return nil, errors.New("an agent's key: no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("an agent's key: %w", err)
	}
	jwe, err := jose.ParseEncryptedCompact(string(sealed), []jose.KeyAlgorithm{jose.ECDH_ES_A256KW}, []jose.ContentEncryption{jose.A256GCM})
	if err != nil {
		return nil, fmt.Errorf("an agent's enrolment: %w", err)
	}
	text, err := jwe.Decrypt(key)
	if err != nil {
		return nil, fmt.Errorf("an agent's enrolment: %w", err)
	}
	var enrolment struct {
		PackageKeys []struct {
			ID  string `json:"kid"`
			Key string `json:"k"`
		}
	}
	if err := json.Unmarshal(text, &enrolment); err != nil {
		return nil, fmt.Errorf("an agent's enrolment: %w", err)
	}
	raw := map[string][]byte{}
	for _, k := range enrolment.PackageKeys {
		if raw[k.ID], err = base64.RawURLEncoding.DecodeString(k.Key); err != nil {
			return nil, fmt.Errorf("package key %s: not base64url", k.ID)
		}
	}
	return raw, nil
}

// Forge implements scenarios.Target.
func (t *target) Forge(_ context.Context, f scenarios.Forgery) (protocol.Message, error) {
	agents := t.all()
	if len(agents) == 0 {
		return protocol.Message{}, errors.New("no agent's state is there to be stolen")
	}
	l, err := steal(agents[0].stateDir())
	if err != nil {
		return protocol.Message{}, err
	}
	key, to := l.enrolled.PackageKeys[0], l.key.Public()
	if f.Foreign {
		if key, err = protocol.NewPackageKey(); err != nil {
			return protocol.Message{}, err
		}
	}
	request, err := t.request(l, f)
	if err != nil {
		return protocol.Message{}, err
	}
	m, err := protocol.SealRequest(key, request, protocol.Secrets{New: f.New}, []protocol.PublicKey{to})
	if err != nil || f.SpliceFrom == nil {
		return m, err
	}
	other := f
	other.User, other.SpliceFrom = *f.SpliceFrom, nil
	donor, err := t.request(l, other)
	if err != nil {
		return m, err
	}
	from, err := protocol.SealRequest(key, donor, protocol.Secrets{New: f.New}, []protocol.PublicKey{to})
	if err != nil {
		return m, err
	}
	m.Body, err = splice(l.raw[key.ID], key.ID, m.Body, from.Body)
	return m, err
}

// request is what the cloud would have made.
func (t *target) request(l loot, f scenarios.Forgery) (r protocol.Request, err error) {
	r = protocol.Request{
		Tenant: l.enrolled.Tenant, Operation: protocol.Reset, UPN: f.User.UPN, Actor: f.User.UPN,
		CloudAnchor: "User_" + f.User.CloudID, Domain: t.ground.domain, ReplySession: "forged",
	}
	if f.Tenant != "" {
		r.Tenant = f.Tenant
	}
	for _, a := range t.world.Cloud.Agents() {
		for _, d := range a.Serving {
			r.DC = d.DC
		}
	}
	if r.TrackingID, err = protocol.NewTrackingID(); err != nil {
		return r, err
	}
	r.IssuedAt = clock.Real().Now().UTC().Add(f.Issued)
	r.Deadline = r.IssuedAt.Add(protocol.DefaultDeadline)
	return r, t.ground.asAdmin(func(c *ldap.Conn) error {
		e, err := read(c, f.User.DN, "objectGUID")
		if err != nil || e == nil {
			return fmt.Errorf("read the source anchor of %s: %w", f.User.DN, err)
		}
		r.SourceAnchor = base64.StdEncoding.EncodeToString(e.GetRawAttributeValue("objectGUID"))
		return nil
	})
}

// splice puts the sealed secrets of one request into another, and seals that again.
func splice(key []byte, kid string, into, from []byte) ([]byte, error) {
	outer := func(body []byte) (map[string]json.RawMessage, error) {
		jwe, err := jose.ParseEncryptedCompact(string(body), []jose.KeyAlgorithm{jose.DIRECT}, []jose.ContentEncryption{jose.A256GCM})
		if err != nil {
			return nil, fmt.Errorf("open a request: %w", err)
		}
		text, err := jwe.Decrypt(key)
		if err != nil {
			return nil, fmt.Errorf("open a request: %w", err)
		}
		var fields map[string]json.RawMessage
		return fields, json.Unmarshal(text, &fields)
	}
	host, err := outer(into)
	if err != nil {
		return nil, err
	}
	donor, err := outer(from)
	if err != nil {
		return nil, err
	}
	host["secrets"] = donor["secrets"]
	text, err := json.Marshal(host)
	if err != nil {
		return nil, fmt.Errorf("seal a request: %w", err)
	}
	encrypter, err := jose.NewEncrypter(jose.A256GCM, jose.Recipient{Algorithm: jose.DIRECT, Key: key, KeyID: kid}, nil)
	if err != nil {
		return nil, fmt.Errorf("seal a request: %w", err)
	}
	sealed, err := encrypter.Encrypt(text)
	if err != nil {
		return nil, fmt.Errorf("seal a request: %w", err)
	}
	compact, err := sealed.CompactSerialize()
	return []byte(compact), err
}
