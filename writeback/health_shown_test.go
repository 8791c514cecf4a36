package writeback_test

import (
	"slices"
	"strings"
	"testing"

	"passback/clock"
	"passback/fakead"
	"passback/writeback/protocol"
)

// ill waits until the agent says, by its heartbeat and by status, that exactly these are the causes of its trouble.
func (l *lab) ill(codes ...string) {
	l.t.Helper()
	causes := func(all []protocol.Warning) (codes []string) {
		for _, w := range protocol.Causes(all) {
			codes = append(codes, w.Code)
		}
		return codes
	}
	eventually(l.t, "a heartbeat that tells of "+strings.Join(codes, ", "), func() bool {
		b := l.beats()
		return len(b) > 0 && slices.Equal(causes(b[len(b)-1].Health), codes)
	})
	eventually(l.t, "a status that tells the same", func() bool { return slices.Equal(causes(l.status().Health), codes) })
	_, out, _ := l.verb("status")
	for _, code := range codes {
		if !strings.Contains(out, "("+code+")") {
			l.t.Errorf("status does not show %s:\n%s", code, out)
		}
	}
}

func TestAHealthyAgentSaysNothing(t *testing.T) {
	l := newLab(t)
	l.start(l.enrolled())
	l.ill()
}

func TestHealthOfTheDirectory(t *testing.T) {
	t.Run("unreachable", func(t *testing.T) {
		l := newLab(t)
		l.start(l.enrolled())
		r := l.request(nil)
		must(t, l.dc.Close())
		l.ask(r, newPassword("Spring-Evening-42"))
		l.ill("directory-unreachable")
	})
	t.Run("the bind is refused", func(t *testing.T) {
		l := newLab(t)
		l.enrolled()
		l.write("bind.secret", "Another-Account-8\n")
		l.begin(l.config())
		l.ill("bind-refused")
	})
	t.Run("no policy hints", func(t *testing.T) {
		l := newLab(t)
		c := l.enrolled()
		l.dc.SetPolicyHints(false)
		l.begin(c)
		l.ill("policy-hints-missing")
	})
	t.Run("the marker may not be written", func(t *testing.T) {
		l := newLab(t)
		must(t, l.dc.Delegate("svc-writeback", fakead.Rights{ResetPassword: true, WritePwdLastSet: true, WriteLockoutTime: true, Unexpire: true}))
		l.start(l.enrolled())
		if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.AccessDenied {
			t.Errorf("answered %+v", a)
		}
		l.ill("marker-denied")
	})
}

func TestHealthOfTheRelays(t *testing.T) {
	l := newLab(t)
	l.second = l.newRelay()
	l.start(l.enrolled())
	l.ill()
	must(t, l.second.Close())
	l.ill("relay-redundancy-lost")
	for _, id := range []string{"31044", "32002", "32014"} {
		eventually(t, "event "+id, func() bool { return l.event(id) })
	}
}

func TestHealthOfTheKeys(t *testing.T) {
	l, _, days, _ := rolled(t)
	l.ill("key-rolled")
	days.Advance(protocol.MaxDeadline + protocol.HeartbeatInterval + protocol.MaxClockSkew)
	l.ill()
	m, err := protocol.SealRequest(l.keys[0], l.request(nil), newPassword("short"), l.agents[:1]) // to the key that is destroyed
	must(t, err)
	l.send(m)
	l.answer(m)
	l.ill("key-mismatch")
}

func TestHealthOfAStagingAgent(t *testing.T) {
	l := newLab(t)
	l.mode = protocol.Staging
	l.start(l.enrolled())
	l.ill("staging")
}

func TestHealthWhereTheCloudIsAway(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	days := clock.NewRunning()
	c.Clock = days
	l.start(c)
	l.enrol.Close()
	days.Advance(protocol.RenewInterval)
	l.ill("enrolment-not-renewed")
}
