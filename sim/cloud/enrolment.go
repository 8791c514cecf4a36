package cloud

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"passback/writeback/protocol"
)

// Enrolment: how an agent gets its place, its rules on the relay and the tenant's package key. The first request
// carries a one-time token; the same request repeated is answered alike, so that a lost answer costs nothing.

// TokenLifetime of a token that an administrator makes.
const TokenLifetime = 10 * time.Minute

// maxAgents is what a queue's twelve rules leave beside the cloud's own.
const maxAgents = 11

type enrolToken struct {
	expires time.Time // zero: never
	agent   string    // that used it; empty: none yet
}

// Codes of refusals beside those of the protocol.
const (
	enrolTooMany     = "tooManyAgents"
	enrolUnavailable = "relayUnavailable"
)

// NewEnrolToken makes a one-time token; a lifetime of 0 never ends.
func (t *Tenant) NewEnrolToken(lifetime time.Duration) protocol.Secret {
	token := protocol.NewSecret(rand.Text())
	made := &enrolToken{}
	if lifetime > 0 {
		made.expires = wire().Add(lifetime)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tokens[tokenID(token)] = made
	return token
}

// tokenID is what the tenant keeps of a token.
func tokenID(token protocol.Secret) string {
	sum := sha256.Sum256([]byte(token.Reveal()))
	return hex.EncodeToString(sum[:])
}

func refuseEnrolment(status int, code, format string, args ...any) *protocol.EnrolError {
	return &protocol.EnrolError{Status: status, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Enrol answers the body of one enrolment request with the body of its response, which is empty for an agent that
// leaves. Its error is a *protocol.EnrolError, to be told to the agent, or one of the cloud's own.
func (t *Tenant) Enrol(ctx context.Context, body []byte) ([]byte, error) {
	t.enrolling.Lock()
	defer t.enrolling.Unlock()
	if len(t.relays) == 0 || len(t.directories) == 0 {
		return nil, refuseEnrolment(http.StatusConflict, enrolUnavailable, "this tenant has no relay, or no directory, that an agent could serve")
	}
	t.mu.Lock()
	r, a, err := t.admit(body)
	t.mu.Unlock()
	if err != nil {
		t.log.Warn("an enrolment was refused", "error", err)
		return nil, err
	}
	if r.Unenrol {
		if err := t.unenrol(ctx, a.id); err != nil {
			t.log.Error("an agent could not leave", "error", err)
			return nil, refuseEnrolment(http.StatusServiceUnavailable, enrolUnavailable, "the agent's access rules could not be taken away: try again")
		}
		return nil, nil
	}
	// An agent that comes shall find the whole path; one that renews has its keys for the relay that is there, and the other
	// gets them when it can be reached.
	if err := t.write(ctx, &a.access); err != nil && (!r.Token.Empty() || a.access.unwritten == len(t.relays)) {
		return nil, refuseEnrolment(http.StatusServiceUnavailable, enrolUnavailable, "the relay did not take the agent's access rules: try again")
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.agents[a.id] = a
	if !r.Token.Empty() {
		t.tokens[tokenID(r.Token)].agent = a.id
	}
	t.log.Info("agent enrolled", "agent", a.id, "name", a.name, "mode", a.mode, "reason", a.reason)
	answer, err := protocol.SealEnrolResponse(r.Key, protocol.EnrolResponse{
		InReplyTo: r.ID, Tenant: t.id, AgentID: a.id, Mode: a.mode, Reason: a.reason, OnlyActive: a.active() && t.othersActive(a) == 0,
		PackageKeys: t.openKeys(wire()), Relays: t.relaysOf(a), MarkerAttribute: t.marker, Domains: t.domains(), IssuedAt: wire().UTC(),
	})
	if err != nil {
		return nil, fmt.Errorf("answer an enrolment: %w", err)
	}
	return answer, nil
}

// admit finds or makes the agent that a request speaks for, and needs t.mu.
func (t *Tenant) admit(body []byte) (protocol.EnrolRequest, *agent, error) {
	r, signedBy, err := protocol.OpenEnrolRequest(body, wire(), t.keyOf)
	if errors.Is(err, protocol.ErrUnknownKey) {
		return r, nil, refuseEnrolment(http.StatusForbidden, protocol.EnrolUnknownAgent, "no enrolled agent has this key: enrol with a new token")
	}
	if err != nil {
		return r, nil, refuseEnrolment(http.StatusBadRequest, protocol.EnrolBadRequest, "%v", err)
	}
	a := t.holder(signedBy)
	if r.Token.Empty() {
		if a == nil || a.id != r.AgentID {
			return r, nil, refuseEnrolment(http.StatusForbidden, protocol.EnrolUnknownAgent, "this agent is not enrolled, or its key is not the current one: enrol with a new token")
		}
	} else if a, err = t.redeem(r, a); err != nil {
		return r, nil, err
	}
	if r.Unenrol {
		return r, a, nil
	}
	if a == nil && len(t.agents) >= maxAgents {
		return r, nil, refuseEnrolment(http.StatusConflict, enrolTooMany, "%d agents are enrolled, and a relay has no room for more: unenrol one first", maxAgents)
	}
	if a == nil {
		a = &agent{id: uuid.NewString(), enrolled: wire().UTC(), keys: []protocol.PublicKey{r.Key}}
		a.access = newAccess("agent-"+a.id, agentRights, len(t.relays), t.clock.Now())
	}
	a.rollTo(r.Key)
	a.name, a.version, a.domains = r.Name, r.Version, r.Domains
	a.mode, a.reason = t.grant(a, r)
	return r, a, nil
}

// redeem judges a token; a is the agent that holds the key already, if any.
func (t *Tenant) redeem(r protocol.EnrolRequest, a *agent) (*agent, error) {
	token := t.tokens[tokenID(r.Token)]
	switch {
	case token == nil:
		return nil, refuseEnrolment(http.StatusForbidden, protocol.EnrolTokenUnknown, "the enrolment token is not one of this tenant's: copy it whole, or make a new one")
	case token.agent != "" && (a == nil || a.id != token.agent):
		return nil, refuseEnrolment(http.StatusForbidden, protocol.EnrolTokenUsed, "the enrolment token was used by another agent: make a new one")
	case token.agent == "" && !token.expires.IsZero() && !wire().Before(token.expires):
		return nil, refuseEnrolment(http.StatusForbidden, protocol.EnrolTokenExpired, "the enrolment token expired %s ago: make a new one", wire().Sub(token.expires).Round(time.Second))
	}
	return a, nil
}

// rollTo makes key the next one beside the current; a next one that was never used gives way.
func (a *agent) rollTo(key protocol.PublicKey) {
	same := func(k protocol.PublicKey) bool { return k.Thumbprint() == key.Thumbprint() }
	if !slices.ContainsFunc(a.keys, same) {
		a.keys = append(a.keys[:1:1], key)
	}
}

// grant decides the mode, and needs t.mu. Agents are interchangeable: one that lacks a domain takes no requests.
func (t *Tenant) grant(a *agent, r protocol.EnrolRequest) (protocol.Mode, string) {
	if r.Mode == protocol.Staging {
		return protocol.Staging, ""
	}
	var missing []string
	for _, d := range t.domains() {
		if !slices.ContainsFunc(r.Domains, func(has string) bool { return strings.EqualFold(has, d) }) {
			missing = append(missing, d)
		}
	}
	if len(missing) > 0 {
		return protocol.Staging, "its configuration lacks the domain " + strings.Join(missing, ", ")
	}
	if t.othersActive(a) >= protocol.MaxRecipients {
		return protocol.Staging, fmt.Sprintf("%d agents are active already", protocol.MaxRecipients)
	}
	return protocol.Active, ""
}

func (t *Tenant) othersActive(a *agent) int {
	n := 0
	for _, other := range t.agents {
		if other.id != a.id && other.active() {
			n++
		}
	}
	return n
}

func (t *Tenant) holder(thumbprint string) *agent {
	for _, a := range t.agents {
		for _, k := range a.keys {
			if k.Thumbprint() == thumbprint {
				return a
			}
		}
	}
	return nil
}

func (t *Tenant) keyOf(thumbprint string) (protocol.PublicKey, bool) {
	if a := t.holder(thumbprint); a != nil {
		for _, k := range a.keys {
			if k.Thumbprint() == thumbprint {
				return k, true
			}
		}
	}
	return protocol.PublicKey{}, false
}

func (t *Tenant) domains() []string {
	var names []string
	for _, d := range t.directories {
		names = append(names, d.Domain)
	}
	return names
}
