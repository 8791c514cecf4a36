package writeback

import (
	"context"
	"errors"
	"fmt"
	"os"
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
// whoever calls it; the cloud answers the same key alike.
func Enroll(ctx context.Context, c Config, token protocol.Secret) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	if token.Empty() {
		return errors.New("enrol: the token is empty")
	}
	cl, err := newCloud(c)
	if err != nil {
		return err
	}
	dir, err := openState(c.StateDir)
	if err != nil {
		return err
	}
	log := newLogbook(c)
	keys, err := openKeyring(dir, c.Clock)
	if errors.Is(err, errNotEnrolled) {
		if keys, err = newKeyring(dir, c.Clock); err == nil {
			log.event(eventKeyPairCreated, "The agent's key was made.", "key", keys.signer().Thumbprint())
		}
	}
	if err != nil {
		log.event(eventCryptoError, "The agent's key could not be made or read.", "error", err)
		return err
	}
	log.event(eventOnboardingStart, "Enrolment of "+hostname()+" at "+c.Cloud+".")
	e := enroller{cloud: cl, keys: keys, config: c}
	r, skew, err := e.call(ctx, token, "")
	if err != nil {
		log.event(eventOnboardingError, "The enrolment failed.", "error", err)
		return err
	}
	log.event(eventOnboardingSuccess, "Enrolled.", "tenant", r.Tenant, "agent_id", r.AgentID, "mode", r.Mode, "reason", r.Reason)
	if skew.Abs() > protocol.MaxClockSkew {
		log.event(eventClockSkew, skewText(skew), "skew", skew)
	}
	return nil
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
