package scenarios

import (
	"context"

	"passback/writeback/protocol"
)

// What scenarios do, each noted as a step.

// Seed makes a person.
func (t *T) Seed(p Person) User {
	if p.Password.Empty() {
		p.Password = t.Password()
	}
	u := must(t.Target.Seed(t.ctx, p))(t)
	t.Step("%s is there", u.UPN)
	return u
}

// Policy sets the domain's policy.
func (t *T) Policy(p Policy) {
	t.Must(t.Target.SetPolicy(t.ctx, p))
	t.Step("the domain's policy is %+v", p)
}

// FineGrained gives one person a policy of their own.
func (t *T) FineGrained(u User, p Policy) {
	t.Must(t.Target.SetFineGrained(t.ctx, u, p))
	t.Step("the policy of %s is %+v", u.UPN, p)
}

// Ask asks the cloud and waits for its answer.
func (t *T) Ask(a Ask) Answer {
	answer := must(t.Target.Ask(t.ctx, a))(t)
	t.Step("%s asks by way of %q and is told %q %s", a.User.UPN, a.Way, answer.Outcome, answer.TrackingID)
	return answer
}

// Reset asks for the person's own reset.
func (t *T) Reset(u User, password protocol.Secret) Answer {
	return t.Ask(Ask{Way: PortalReset, User: u, New: password})
}

// Change asks for the person's own change.
func (t *T) Change(u User, old, password protocol.Secret) Answer {
	return t.Ask(Ask{Way: AccessPanelChange, User: u, Old: old, New: password})
}

// Asking is an Ask on its way.
type Asking struct {
	t      *T
	a      Ask
	answer Answer
	err    error
	done   chan struct{}
}

// Begin asks and does not wait.
func (t *T) Begin(a Ask) *Asking {
	t.Step("%s asks by way of %q", a.User.UPN, a.Way)
	asking := &Asking{t: t, a: a, done: make(chan struct{})}
	go func(ctx context.Context) {
		defer close(asking.done)
		asking.answer, asking.err = t.Target.Ask(ctx, a)
	}(t.ctx)
	return asking
}

// Answer waits for it.
func (a *Asking) Answer() Answer {
	a.t.wait(a.done, "the cloud's answer")
	a.t.Must(a.err)
	a.t.Step("%s is told %q %s", a.a.User.UPN, a.answer.Outcome, a.answer.TrackingID)
	return a.answer
}

// Account reads a person's state.
func (t *T) Account(u User) Account { return must(t.Target.Account(t.ctx, u))(t) }

// Alter changes a person in the directory alone.
func (t *T) Alter(u User, a Alteration) { t.Must(t.Target.Alter(t.ctx, u, a)) }

// Trap sets a trap.
func (t *T) Trap(p Point) Trap { return must(t.Target.Trap(t.ctx, p))(t) }

// Caught waits until a trap has caught what it waits for.
func (t *T) Caught(trap Trap, p Point) {
	t.wait(trap.Caught, string(p))
	t.Step("held where %s", p)
}

// KillAll kills every running agent, and returns them.
func (t *T) KillAll() []Agent {
	killed := t.Target.Running()
	for _, a := range killed {
		t.Must(t.Target.Kill(t.ctx, a))
		t.Step("%s is killed", a.ID)
	}
	return killed
}

// Restart starts agents again.
func (t *T) Restart(agents []Agent) {
	for _, a := range agents {
		t.Must(t.Target.Restart(t.ctx, a))
		t.Step("%s is started again", a.ID)
	}
}

// StartAgent starts one more agent.
func (t *T) StartAgent() Agent {
	a := must(t.Target.StartAgent(t.ctx))(t)
	t.Step("%s is started", a.ID)
	return a
}
