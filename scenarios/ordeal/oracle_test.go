package ordeal_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"passback/fakead"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// told is what one caller heard, and when.
type told struct {
	sam             string
	ask             cloud.Ask
	asked, answered time.Time // by the directory's clock
	result          cloud.Result
}

const aMoment = 2 * time.Second

// kill asks for one operation, kills the agent at its moment, and starts it again.
func (w *world) kill(k killing, sam string) (protocol.Outcome, error) {
	ask, err := w.prepare(sam, k.who, k.way)
	if err != nil {
		return "", err
	}
	trap := w.trap(k.at, k.fate)
	defer trap.end()
	answer := w.begin(sam, ask)
	if err := w.await(trap.caught, answer); err != nil {
		return "", err
	}
	if err := w.agent.kill(); err != nil {
		return "", err
	}
	if k.fate != late {
		if err := trap.let(); err != nil {
			return "", err
		}
	}
	if k.amend != nil {
		k.amend(w)
	}
	if err := w.agent.start(); err != nil {
		return "", err
	}
	told := <-answer
	if k.fate == late {
		if err := trap.let(); err != nil {
			return "", err
		}
	}
	w.told = append(w.told, told)
	if told.result.Outcome != k.want {
		return "", fmt.Errorf("answered %s (%s), want %s", told.result.Outcome, told.result.Detail, k.want)
	}
	return told.result.Outcome, w.judge(told)
}

// begin asks, in the background. The cloud answers by the deadline, whatever happens.
func (w *world) begin(sam string, ask cloud.Ask) chan told {
	answer := make(chan told, 1)
	asked := w.sim.Clock.Now()
	go func() {
		result := w.sim.Cloud.Perform(context.Background(), ask)
		answer <- told{sam: sam, ask: ask, asked: asked, answered: w.sim.Clock.Now(), result: result}
	}()
	return answer
}

// await waits until the trap is sprung; where it is not by the time of the answer, it says what happened instead.
func (w *world) await(caught <-chan struct{}, answer chan told) error {
	select {
	case <-caught:
		return nil
	case told := <-answer:
		answer <- told
		ctx, cancel := context.WithTimeout(context.Background(), aMoment)
		defer cancel()
		select {
		case <-caught: // an answer is read as soon as it is stored
			return nil
		case <-ctx.Done():
		}
		return fmt.Errorf("the agent was not where it is to be killed, and the answer is %s (%s, %s): %v",
			told.result.Outcome, told.result.Reason, told.result.Detail, w.sim.Trace.Of(string(told.result.TrackingID)))
	}
}

// judge holds an answer, and all that came to the same request later, against the directory: the first four
// invariants of the design.
func (w *world) judge(t told) error {
	state, err := w.sim.Directory.User(t.sam)
	if err != nil {
		return err
	}
	taken := w.taken(state.DN)
	wanted, password := 0, passwordBefore(t.sam)
	if t.result.Changed == protocol.ChangedYes && !t.ask.New.Empty() {
		wanted, password = 1, t.ask.New.Reveal()
	}
	switch {
	case len(taken) > 1:
		return fmt.Errorf("%s: written %d times: %v", t.sam, len(taken), taken)
	case t.result.Changed == protocol.ChangedMaybe:
	case len(taken) != wanted:
		return fmt.Errorf("%s: answered %s, and written %d times", t.sam, t.result.Outcome, len(taken))
	case !state.PasswordIs(password):
		return fmt.Errorf("%s: answered %s, and the password is another", t.sam, t.result.Outcome)
	case t.ask.Way == cloud.UnlockAlone && state.Locked == t.result.Succeeded():
		return fmt.Errorf("%s: answered %s, locked %t", t.sam, t.result.Outcome, state.Locked)
	case t.ask.Way == cloud.AccessPanel && state.BadPasswords > 0:
		return fmt.Errorf("%s: a redelivered change was counted as %d wrong passwords", t.sam, state.BadPasswords)
	}
	for _, write := range taken {
		if write.At.Before(t.asked) || write.At.After(t.answered) {
			return fmt.Errorf("%s: asked at %s, written at %s, answered at %s", t.sam, t.asked, write.At, t.answered)
		}
	}
	return w.consistent(t)
}

// taken are the passwords that the directory took for an account.
func (w *world) taken(dn string) (taken []fakead.PasswordWrite) {
	for _, write := range w.sim.Directory.PasswordWrites() {
		if write.Target == dn && write.Code == 0 {
			taken = append(taken, write)
		}
	}
	return taken
}

// consistent looks at every answer to the request that ever came.
func (w *world) consistent(t told) error {
	for _, hop := range w.sim.Trace.Of(string(t.result.TrackingID)) {
		if hop.What != "answer opened" {
			continue
		}
		changed := protocol.Outcome(hop.Detail).Info().Changed
		if changed != protocol.ChangedMaybe && t.result.Changed != protocol.ChangedMaybe && changed != t.result.Changed {
			return fmt.Errorf("%s: told %s, answered %s too", t.sam, t.result.Outcome, hop.Detail)
		}
	}
	return nil
}

func passwordBefore(sam string) string { return "Before-Nine-Green-Kites-" + sam[len("person"):] }
func passwordAfter(sam string) string  { return "After-Ten-Red-Boats-" + sam[len("person"):] }

// weakPassword is shorter than the policy wants.
func weakPassword(sam string) string { return "Kt-9" + sam[len("person"):] + "!" }

// secretsIn looks for every password in all that the agent wrote: its output, and its files.
func (w *world) secretsIn(p *process) error {
	seen := map[string]string{"its output": p.said()}
	err := filepath.WalkDir(p.stateDir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		seen[filepath.Base(path)] = string(text)
		return err
	})
	if err != nil {
		return err
	}
	for where, text := range seen {
		if at := readable(text, w.told); at != "" {
			return fmt.Errorf("the password of %s can be read in %s of the agent", at, where)
		}
	}
	return nil
}
