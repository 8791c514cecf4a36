package ordeal_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"passback/clock"
	"passback/sim/cloud"
)

const (
	randomStage = "at random instants"
	longest     = 80 * time.Millisecond // some more than a burst takes
)

// burst is what is under way at once when the agent is killed.
var burst = []killing{
	{name: "reset"}, {name: "reset that the policy refuses", who: weak}, {name: "change", way: cloud.AccessPanel},
	{name: "reset"}, {name: "reset that the policy refuses", who: weak}, {name: "reset"},
}

// atRandom kills the agent at random instants of bursts of requests.
func atRandom(t *testing.T, binary string, times int, results *table) error {
	w, err := newWorld(t, binary, 0, times*len(burst))
	if err != nil {
		return err
	}
	defer w.close()
	for i := range times {
		var answers []chan told
		for j, k := range burst {
			sam := w.people[i*len(burst)+j]
			ask, err := w.prepare(sam, k.who, k.way)
			if err != nil {
				return err
			}
			answers = append(answers, w.begin(sam, ask))
		}
		if err := clock.Sleep(t.Context(), clock.Real(), rand.N(longest)); err != nil {
			return err
		}
		if err := w.agent.kill(); err != nil {
			return err
		}
		killed := w.sim.Clock.Now()
		if err := w.agent.start(); err != nil {
			return err
		}
		for j, answer := range answers {
			told := <-answer
			w.told = append(w.told, told)
			life := " by its next life"
			if told.answered.Before(killed) {
				life = " before it died"
			}
			results.add(randomStage, burst[j].name, string(told.result.Outcome)+life)
			if err := w.judge(told); err != nil {
				return fmt.Errorf("%w\n%s", err, w.agent.lately())
			}
		}
	}
	return w.finish()
}
