package writeback

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"passback/clock"
)

// An agent that is one of several begins to receive when no request is left that was sealed before the cloud counted it
// among the recipients. One that was active before has waited already: otherwise a tenant whose agents all start again,
// after a power cut, would stand still for that long. A key that rolled over makes no difference: the cloud seals to
// the old one and the new.

const activeFile = "active.json"

// active is what the file holds.
type active struct {
	AgentID string    `json:"agent_id"`
	Since   time.Time `json:"since"`
}

// warmUp follows the first beat as active.
func (t *term) warmUp() {
	now := wireNow()
	since, known := t.activeBefore()
	if !known {
		since = now
	}
	waited := now.Add(-t.config.FirstBeatDelay)
	if t.enrolment.OnlyActive && since.After(waited) {
		since, known = waited, false // who was alone need not wait beside others after a restart
	}
	if !known {
		t.rememberActive(active{AgentID: t.enrolment.AgentID, Since: since.UTC()})
	}
	warm := func() { t.gate.update(func(g *gate) { g.warm = true }) }
	if since.After(waited) {
		clock.Real().AfterFunc(since.Sub(waited), warm)
		return
	}
	warm()
}

// activeBefore returns since when the cloud has known this agent as active.
func (t *term) activeBefore() (since time.Time, known bool) {
	text, err := t.state.read(activeFile)
	var a active
	if err != nil || json.Unmarshal(text, &a) != nil || a.Since.After(wireNow()) {
		return time.Time{}, false
	}
	return a.Since, a.AgentID == t.enrolment.AgentID
}

func (t *term) rememberActive(a active) {
	text, err := json.Marshal(a)
	if err == nil {
		err = t.state.write(activeFile, text)
	}
	if err != nil {
		t.log.Warn("it could not be kept that the agent is active: it will wait again when it is started again", "error", err)
	}
}

// forgetActive follows a beat as staging: requests are not sealed to this agent any more.
func (t *term) forgetActive() {
	if err := os.Remove(filepath.Join(t.state.dir, activeFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.log.Warn("it could not be forgotten that the agent was active", "error", err)
	}
}
