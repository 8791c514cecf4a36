package writeback_test

import (
	"context"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"

	"passback/writeback"
	"passback/writeback/protocol"
)

func TestUnenrollTakesEverythingAway(t *testing.T) {
	l := newLab(t)
	stop := l.start(l.enrolled())
	l.ask(l.request(nil), newPassword("Spring-Evening-42"))
	must(t, stop())
	if code, _, errs := l.verb("unenroll"); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if len(l.agents) != 0 {
		t.Error("the cloud still knows the agent")
	}
	files, err := os.ReadDir(l.path("state"))
	must(t, err)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if !slices.Equal(names, []string{"journal.jsonl", "lock"}) {
		t.Errorf("state_dir holds %v, want the journal and an empty lock", names)
	}
	for _, verb := range []string{"run", "unenroll"} {
		if code, _, errs := l.verb(verb); code != 1 || !strings.Contains(errs, "not enrolled") {
			t.Errorf("%s afterwards: exit code %d: %s", verb, code, errs)
		}
	}
}

func TestUnenrollDestroysNothingWhileTheCloudIsAway(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	c.DialRelay = func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("the cloud is away") }
	if err := writeback.Unenroll(within(t), c); err == nil {
		t.Error("it went through")
	}
	if !slices.Equal(l.files(), []string{"agent.key", "enrolment.jwe"}) || !l.event("31014") {
		t.Errorf("state_dir holds %v", l.files())
	}
	c.DialRelay = nil
	l.start(c)
	if a := l.ask(l.request(nil), newPassword("Spring-Evening-42")); a.Outcome != protocol.Success {
		t.Errorf("afterwards answered %+v", a)
	}
}

func TestLostUnenrolmentAnswerIsAskedForAgain(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	l.lose = true
	must(t, writeback.Unenroll(within(t), c))
	if l.lose || len(l.agents) != 0 || len(l.files()) != 0 {
		t.Errorf("%d agents, files %v", len(l.agents), l.files())
	}
}

func TestTwoAgentsCannotShareAStateDir(t *testing.T) {
	l := newLab(t)
	c := l.enrolled()
	stop := l.start(c)
	second, err := writeback.New(c)
	must(t, err)
	if err := second.Run(within(t)); err == nil || !strings.Contains(err.Error(), "in use by another agent") {
		t.Errorf("a second agent: %v", err)
	}
	for _, line := range [][]string{{"unenroll"}, {"enroll", "--token-file", l.path("token")}} {
		if code, _, errs := l.verb(line...); code != 1 || !strings.Contains(errs, "in use by another agent") {
			t.Errorf("%v beside it: exit code %d: %s", line, code, errs)
		}
	}
	must(t, stop())
	l.start(c)
}

func TestEnrollTriesTheWholePath(t *testing.T) {
	for says, harm := range map[string]func(*lab, *writeback.Config){
		"directory corp.example: controller to write to": func(l *lab, _ *writeback.Config) { must(l.t, l.dc.Close()) },
		"directory corp.example: its policy hints":       func(l *lab, _ *writeback.Config) { l.dc.SetPolicyHints(false) },
		"relay localhost": func(l *lab, c *writeback.Config) {
			c.DialRelay = func(ctx context.Context, network, addr string) (net.Conn, error) {
				if addr != l.enrol.Listener.Addr().String() {
					return nil, errors.New("the relay is away")
				}
				return (&net.Dialer{}).DialContext(ctx, network, addr)
			}
		},
	} {
		t.Run(says, func(t *testing.T) {
			l := newLab(t)
			c := l.config()
			harm(l, &c)
			err := writeback.Enroll(within(t), c, protocol.NewSecret(l.token))
			if !errors.Is(err, writeback.ErrPath) || !strings.Contains(err.Error(), says) {
				t.Errorf("enrolled: %v", err)
			}
			if len(l.agents) != 1 || l.event("31005") {
				t.Errorf("%d agents; want one that is enrolled, and nobody told that all is done", len(l.agents))
			}
		})
	}
}
