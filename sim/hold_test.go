package sim_test

import (
	"sync"
	"testing"

	"passback/fakead"
	"passback/sim"
)

// hold keeps the next modify of a password before it is applied, tells arrived, and lets it go on with goOn.
func hold(t *testing.T, w *sim.World, arrived chan<- struct{}, goOn <-chan struct{}) {
	t.Helper()
	var once sync.Once
	t.Cleanup(w.Directory.Hook(func(o fakead.Operation) fakead.Action {
		action := fakead.Pass()
		if o.Stage == fakead.BeforeModify && o.SetsPassword() {
			once.Do(func() {
				close(arrived)
				action = fakead.Hold(goOn)
			})
		}
		return action
	}))
}
