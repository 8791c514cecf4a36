package ordeal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

const (
	patience    = 90 * time.Second // longer than any deadline
	requestLock = 2 * time.Second  // how long a request of a dead agent waits
	domain      = "corp.example"
)

// A world is one directory, relay and cloud, with one agent process, whose people are asked for one after the other.
type world struct {
	sim    *sim.World
	agent  *process
	others []*process // further agents
	people []string   // sAMAccountNames
	told   []told
	policy fakead.Policy
}

func newWorld(t *testing.T, binary string, deadline time.Duration, people int) (*world, error) {
	settings := cloud.DefaultSettings()
	settings.Deadline = deadline
	s, err := sim.NewWorld(sim.Options{WithoutAgent: true, EmptyCompany: true, RequestLock: requestLock, Settings: &settings})
	if err != nil {
		return nil, err
	}
	w := &world{sim: s, policy: s.Directory.Policy()}
	w.policy.MinAge, w.policy.History, w.policy.MinLength = 0, 0, 14 // nothing but the markers stands in the way of a second write
	w.policy.LockoutThreshold, w.policy.LockoutDuration, w.policy.LockoutWindow = 3, time.Hour, time.Hour
	s.Directory.SetPolicy(w.policy)
	if err := w.populate(people); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	w.agent, err = newProcess(t.TempDir(), s.AgentConfig(), nil, binary)
	for _, step := range []func() error{
		func() error { return w.agent.enrol(s.Cloud.NewEnrolToken(0)) }, func() error { return w.agent.start() },
	} {
		if err == nil {
			err = step()
		}
	}
	if err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return w, nil
}

// populate makes people with passwords set long ago, and tells the cloud of them.
func (w *world) populate(n int) error {
	for i := range n {
		sam := fmt.Sprintf("person%d", i)
		err := w.sim.Directory.AddUser(fakead.User{
			SAM: sam, UPN: sam + "@" + domain, Password: passwordBefore(sam), PasswordSet: w.sim.Clock.Now().AddDate(0, -1, 0),
			Attributes: map[string][]string{consistencyGUID: {fmt.Sprintf("anchor%010d", i)}},
		})
		if err != nil {
			return err
		}
		w.people = append(w.people, sam)
	}
	return w.sim.Synchronise(context.Background())
}

const consistencyGUID = "mS-DS-ConsistencyGuid"

// serving waits until the agent serves, and the cloud knows.
func (w *world) serving() error {
	if err := w.agent.serving(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return w.sim.Cloud.AwaitAlive(ctx, 1)
}

// relax lets the directory take what it refused.
func (w *world) relax() {
	p := w.policy
	p.MinLength, p.Complexity = 0, false
	w.sim.Directory.SetPolicy(p)
}

// finish looks at everything once more, when nothing can land any more.
func (w *world) finish() error {
	if err := w.agent.kill(); err != nil {
		return err
	}
	for _, told := range w.told {
		if err := w.judge(told); err != nil {
			return fmt.Errorf("at the end: %w", err)
		}
	}
	return w.secretsIn(w.agent)
}

func (w *world) close() {
	if w.agent.cmd.ProcessState == nil { // a failure left it behind
		_ = w.agent.kill()
	}
	_ = w.sim.Close()
	_ = os.RemoveAll(w.agent.stateDir)
}

// prepare makes the person what the killing wants, and returns what to ask for once the agent serves.
func (w *world) prepare(sam string, who person, way cloud.Way) (cloud.Ask, error) {
	if err := w.serving(); err != nil {
		return cloud.Ask{}, err
	}
	w.sim.Directory.SetPolicy(w.policy)
	if way == "" {
		way = cloud.PortalReset
	}
	ask := cloud.Ask{Way: way, User: sam + "@" + domain}
	switch way {
	case cloud.UnlockAlone:
	case cloud.AccessPanel:
		ask.Old = protocol.NewSecret(passwordBefore(sam))
		fallthrough
	default:
		ask.New = protocol.NewSecret(passwordAfter(sam))
	}
	switch who {
	case weak:
		ask.New = protocol.NewSecret(weakPassword(sam))
	case gone:
		return ask, w.sim.Directory.SetAttribute(sam, consistencyGUID, "nobody"+sam[len(sam)-1:]+"123456789")
	case locked:
		return ask, w.lock(sam)
	}
	return ask, nil
}

// lock has the person sign in with wrong passwords.
func (w *world) lock(sam string) error {
	for range w.policy.LockoutThreshold {
		w.sim.Cloud.SignIn(context.Background(), sam+"@"+domain, protocol.NewSecret("Not-"+passwordBefore(sam)))
	}
	state, err := w.sim.Directory.User(sam)
	if err == nil && !state.Locked {
		err = errors.New("wrong passwords did not lock the account")
	}
	return err
}
