package writeback

import (
	"context"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/google/uuid"

	"passback/clock"
	"passback/writeback/protocol"
)

const enrolAttempts = 4

// Enroll gives the agent its place in the tenant, with a one-time token, and keeps what the cloud answers in
// state_dir. The key is on the disk before the call: where an answer is lost, Enroll repeats the request, and so may
// whoever calls it; the cloud answers the same key alike. Enroll succeeds when the whole path stands, from each relay
// to the controllers: its error wraps ErrPath where the agent is enrolled and the path does not.
func Enroll(ctx context.Context, c Config, token protocol.Secret) error {
	if token.Empty() {
		return errors.New("enrol: the token is empty")
	}
	a, err := New(c)
	if err != nil {
		return err
	}
	dir, err := openState(a.config.StateDir)
	if err != nil {
		return err
	}
	unlock, err := dir.lock()
	if err != nil {
		return err
	}
	defer unlock()
	if err := a.keysToEnrol(dir); err != nil {
		a.log.event(eventCryptoError, "The agent's key could not be made or read.", "error", err)
		return err
	}
	a.log.event(eventOnboardingStart, "Enrolment of "+hostname()+" at "+a.config.Cloud+".")
	e := enroller{cloud: a.cloud, keys: a.keys, config: a.config}
	r, skew, err := e.call(ctx, token, "")
	if err != nil {
		a.log.event(eventOnboardingError, "The enrolment failed.", "error", err)
		return err
	}
	if skew.Abs() > protocol.MaxClockSkew {
		a.log.event(eventClockSkew, skewText(skew), "skew", skew)
	}
	if err := a.checkEnrolled(ctx, e, &r); err != nil {
		a.log.event(eventOnboardingError, "Enrolled, but the path does not stand.", "agent_id", r.AgentID, "error", err)
		return err
	}
	a.log.event(eventOnboardingSuccess, "Enrolled.", "tenant", r.Tenant, "agent_id", r.AgentID, "mode", r.Mode, "reason", r.Reason)
	return nil
}

// checkEnrolled checks the path, and once more where the relay keys were replaced between the answer and the check.
func (a *Agent) checkEnrolled(ctx context.Context, e enroller, r *protocol.EnrolResponse) error {
	err := a.checkPath(ctx, *r)
	if err == nil {
		return nil
	}
	now, _, renewed := e.call(ctx, protocol.Secret{}, r.AgentID)
	if renewed != nil || reflect.DeepEqual(now.Relays, r.Relays) {
		return err
	}
	*r = now
	return a.checkPath(ctx, now)
}

// keysToEnrol reads the keys of an earlier try, or makes the first.
func (a *Agent) keysToEnrol(dir state) (err error) {
	a.keys, err = openKeyring(dir, a.config.Clock)
	if !errors.Is(err, errNotEnrolled) {
		return err
	}
	if a.keys, err = newKeyring(dir, a.config.Clock); err == nil {
		a.log.event(eventKeyPairCreated, "The agent's key was made.", "key", a.keys.signer().Thumbprint())
	}
	return err
}

// An enroller speaks with the cloud for the agent's keys.
type enroller struct {
	cloud  *cloud
	keys   *keyring
	config Config
	rolled func() // told when a new key is the current one; may be nil
}

// call enrols, with a token, or renews, with the agent's id, and keeps the answer. One without an answer is repeated.
func (e enroller) call(ctx context.Context, token protocol.Secret, agentID string) (protocol.EnrolResponse, time.Duration, error) {
	key, err := e.keys.wanted()
	if err != nil {
		return protocol.EnrolResponse{}, 0, err
	}
	request := e.request(key.Public(), token, agentID)
	sealed, skew, err := e.ask(ctx, request)
	if err != nil {
		return protocol.EnrolResponse{}, 0, err
	}
	r, err := e.keep(request, sealed)
	return r, skew, err
}

func (e enroller) request(key protocol.PublicKey, token protocol.Secret, agentID string) protocol.EnrolRequest {
	request := protocol.EnrolRequest{
		ID: uuid.NewString(), Token: token, AgentID: agentID, Name: hostname(), Version: version(), Mode: e.config.Mode,
		Key: key, IssuedAt: clock.Real().Now().UTC(),
	}
	for _, d := range e.config.Directories {
		request.Domains = append(request.Domains, strings.ToLower(d.Domain))
	}
	return request
}

// ask signs a request and sends it until an answer comes.
func (e enroller) ask(ctx context.Context, request protocol.EnrolRequest) (sealed []byte, skew time.Duration, err error) {
	body, err := protocol.SealEnrolRequest(e.keys.signer(), request)
	if err != nil {
		return nil, 0, err
	}
	wait := backoff.NewExponentialBackOff()
	for attempt := 1; ; attempt++ {
		sealed, skew, err := e.cloud.post(ctx, body)
		if err == nil || attempt == enrolAttempts || !errors.Is(err, errCloudUnreachable) {
			return sealed, skew, err
		}
		if cause := clock.Sleep(ctx, clock.Real(), wait.NextBackOff()); cause != nil {
			return nil, 0, fmt.Errorf("%w: %w", cause, err)
		}
	}
}

func (e enroller) keep(request protocol.EnrolRequest, sealed []byte) (protocol.EnrolResponse, error) {
	r, err := e.open(request, sealed)
	if err != nil {
		return r, err
	}
	rolled, err := e.keys.keep(sealed)
	if rolled && e.rolled != nil {
		e.rolled()
	}
	return r, err
}

func (e enroller) open(request protocol.EnrolRequest, sealed []byte) (protocol.EnrolResponse, error) {
	r, err := protocol.OpenEnrolResponse(e.keys.all(), sealed)
	if err == nil && r.InReplyTo != request.ID {
		err = fmt.Errorf("enrolment response: it answers another request: %w", protocol.ErrTampered)
	}
	return r, err
}

func hostname() string {
	name, err := os.Hostname()
	if err != nil {
		return "unnamed"
	}
	return name
}
