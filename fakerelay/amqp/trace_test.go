package amqp_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

// lines collects a trace.
type lines struct {
	mu  sync.Mutex
	all []string
}

func (l *lines) show(_, line string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = append(l.all, line)
}

func (l *lines) clone() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.all)
}

// in gives the first line with a prefix.
func (l *lines) in(prefix string) string {
	for _, line := range l.clone() {
		if strings.HasPrefix(line, prefix) {
			return line
		}
	}
	return ""
}

func TestTraceShowsFramesAndNoSecrets(t *testing.T) {
	const secret, text = "pa55word-of-the-key", "what the message says"
	var tracer amqp.Tracer
	var seen lines
	tracer.Show(seen.show)
	s := serve(t, amqp.Config{
		Tracer:     &tracer,
		Mechanisms: []amqp.Mechanism{amqp.Plain(func(_, password string) bool { return password == secret })},
	}, amqp.Handler{Attach: func(r *amqp.AttachRequest) { _, _ = r.AcceptReceiver(amqp.ReceiverOptions{}) }})
	ctx := context.Background()
	c, err := goamqp.Dial(ctx, "amqp://"+s.addr, &goamqp.ConnOptions{ContainerID: "me", SASLType: goamqp.SASLTypePlain("device", secret)})
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := session.NewSender(ctx, "queue.1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(ctx, goamqp.NewMessage([]byte(text)), nil); err != nil {
		t.Fatal(err)
	}
	for prefix, want := range map[string]string{
		"<- header":             `"AMQP\x03\x01\x00\x00"`,
		"<- 0: sasl-init":       "mechanism=PLAIN initial-response=(",
		"-> 0: sasl-mechanisms": "mechanisms=[PLAIN]",
		"<- 0: open":            `container-id="me"`,
		"-> 0: open":            "channel-max=4999",
		"<- 0: attach":          `role=sender`,
		"-> 0: flow":            "link-credit=1000",
		"<- 0: transfer":        "delivery-id=0 delivery-tag=0000000000000000 message-format=0",
		"-> 0: disposition":     "role=receiver first=0 last=0 settled=true state=accepted{}",
	} {
		if got := seen.in(prefix); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", prefix, got, want)
		}
	}
	if got := seen.in("<- 0: transfer"); !strings.HasSuffix(got, " bytes") {
		t.Errorf("the payload's length is not in %q", got)
	}
	all := strings.Join(seen.clone(), "\n")
	for _, forbidden := range []string{secret, text} {
		if strings.Contains(all, forbidden) {
			t.Errorf("the trace holds %q", forbidden)
		}
	}
	tracer.Show(nil)
	before := len(seen.clone())
	if err := sender.Send(ctx, goamqp.NewMessage([]byte(text)), nil); err != nil {
		t.Fatal(err)
	}
	if after := len(seen.clone()); after != before {
		t.Errorf("%d lines came after the trace was switched off", after-before)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCorruptFrameEndsThePeersConnection(t *testing.T) {
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: func(r *amqp.AttachRequest) {
		_, _ = r.AcceptReceiver(amqp.ReceiverOptions{OnTransfer: func(d *amqp.Delivery) {
			d.Receiver().Session().Conn().CorruptNext()
			d.Settle(amqp.Accepted{})
		}})
	}})
	ctx := context.Background()
	c, err := goamqp.Dial(ctx, "amqp://"+s.addr, nil)
	if err != nil {
		t.Fatal(err)
	}
	session, err := c.NewSession(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	sender, err := session.NewSender(ctx, "q", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(ctx, goamqp.NewMessage([]byte("x")), nil); err == nil {
		t.Error("the peer understood a corrupt frame")
	}
	<-c.Done()
}
