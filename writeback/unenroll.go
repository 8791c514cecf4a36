package writeback

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"passback/writeback/protocol"
)

// Unenroll gives up the agent's place in the tenant: the cloud takes its rules on the relays away and makes a new
// package key, and what this host holds is destroyed. Where the cloud's answer is lost, or the cloud has unenrolled
// the agent before, Unenroll may be repeated. The journal stays. Nothing is destroyed unless the cloud agrees.
func Unenroll(ctx context.Context, c Config) error {
	if err := c.validate(); err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	cl, err := newCloud(c)
	if err != nil {
		return err
	}
	dir, err := openState(c.StateDir)
	if err != nil {
		return err
	}
	unlock, err := dir.lock()
	if err != nil {
		return err
	}
	defer unlock()
	keys, err := openKeyring(dir, c.Clock)
	if err != nil {
		return err
	}
	enrolment, err := dir.enrolment(keys.all())
	if err != nil {
		return err
	}
	log := newLogbook(c)
	log.event(eventOffboardingStart, "Unenrolment of agent "+enrolment.AgentID+" at "+c.Cloud+".")
	if err := leave(ctx, enroller{cloud: cl, keys: keys, config: c}, enrolment.AgentID); err != nil {
		log.event(eventOffboardingFail, "The unenrolment failed; this agent is still enrolled.", "error", err)
		return err
	}
	if err := dir.destroy(); err != nil {
		log.event(eventOffboardingFail, "The cloud has unenrolled this agent, but its keys could not be destroyed.", "error", err)
		return err
	}
	log.event(eventOffboardingSuccess, "Unenrolled.", "tenant", enrolment.Tenant, "agent_id", enrolment.AgentID)
	return nil
}

func leave(ctx context.Context, e enroller, agentID string) error {
	request := e.request(e.keys.signer().Public(), protocol.Secret{}, agentID)
	request.Unenrol = true
	_, _, err := e.ask(ctx, request)
	if refused, ok := errors.AsType[*protocol.EnrolError](err); ok && refused.Code == protocol.EnrolUnknownAgent {
		return nil // it has left already
	}
	return err
}

// destroy removes the enrolment and the keys.
func (s state) destroy() error {
	var all error
	for _, name := range []string{enrolmentFile, keyFile, nextKeyFile, oldKeyFile, activeFile, statusFile} {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, fmt.Errorf("state_dir: %w", err))
		}
	}
	return all
}
