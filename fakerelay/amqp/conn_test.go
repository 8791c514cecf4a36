package amqp_test

import (
	"context"
	"errors"
	"net"
	"testing"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay/amqp"
)

// ends is what a link's OnClosed was told.
type ends struct {
	accepted chan *amqp.Receiver
	closed   chan *amqp.Error
}

func newEnds() *ends { return &ends{make(chan *amqp.Receiver, 4), make(chan *amqp.Error, 4)} }

func (e *ends) attach(r *amqp.AttachRequest) {
	l, err := r.AcceptReceiver(amqp.ReceiverOptions{OnClosed: func(_ *amqp.Receiver, err *amqp.Error) { e.closed <- err }})
	if err == nil {
		e.accepted <- l
	}
}

func TestHowAPeerEndsALink(t *testing.T) {
	for name, end := range map[string]func(context.Context, *goamqp.Conn, *goamqp.Session, *goamqp.Sender) error{
		"detach": func(ctx context.Context, _ *goamqp.Conn, _ *goamqp.Session, l *goamqp.Sender) error {
			return l.Close(ctx)
		},
		"end": func(ctx context.Context, _ *goamqp.Conn, s *goamqp.Session, _ *goamqp.Sender) error {
			return s.Close(ctx)
		},
		"close": func(_ context.Context, c *goamqp.Conn, _ *goamqp.Session, _ *goamqp.Sender) error { return c.Close() },
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnds()
			s := serve(t, amqp.Config{}, amqp.Handler{Attach: e.attach})
			c := dial(t, s, nil)
			ses := session(t, c)
			l := newSender(t, ses, nil)
			if err := end(testContext(t), c, ses, l); err != nil {
				t.Fatal(err)
			}
			if err := wait(t, e.closed); err != nil {
				t.Errorf("OnClosed is told %v", err)
			}
			c.Close()
			if err := s.end(t, 0); err != nil {
				t.Errorf("Serve returns %v", err)
			}
			if len(e.closed) > 0 {
				t.Error("OnClosed is called twice")
			}
		})
	}
}

func TestHowTheServerEndsALink(t *testing.T) {
	why := &amqp.Error{Condition: amqp.CondDetachForced, Description: "enough"}
	for name, test := range map[string]struct {
		end  func(*amqp.Receiver)
		told func(error) *goamqp.Error // what the client was told, by an error of this kind
	}{
		"detach": {func(l *amqp.Receiver) { l.Detach(why) }, func(err error) *goamqp.Error {
			var e *goamqp.LinkError
			errors.As(err, &e)
			return e.RemoteErr
		}},
		"end": {func(l *amqp.Receiver) { l.Session().End(why) }, func(err error) *goamqp.Error {
			var e *goamqp.SessionError
			errors.As(err, &e)
			return e.RemoteErr
		}},
		"close": {func(l *amqp.Receiver) { l.Session().Conn().Close(why) }, func(err error) *goamqp.Error {
			var e *goamqp.ConnError
			errors.As(err, &e)
			return e.RemoteErr
		}},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEnds()
			s := serve(t, amqp.Config{}, amqp.Handler{Attach: e.attach})
			c := dial(t, s, nil)
			l := newSender(t, session(t, c), nil)
			test.end(wait(t, e.accepted))
			if err := wait(t, e.closed); err != why {
				t.Errorf("OnClosed is told %v", err)
			}
			err := sendUntilError(t, l)
			remote := test.told(err)
			if remote == nil || remote.Description != "enough" || string(remote.Condition) != string(why.Condition) {
				t.Errorf("the client is told %T %v", err, err)
			}
			if name != "close" { // the connection lives
				if err := l.Close(testContext(t)); err == nil {
					t.Error("the link was not closed")
				}
				newSender(t, session(t, c), nil)
				wait(t, e.accepted).Session().Conn().Close(nil)
				wait(t, e.closed)
			}
			s.end(t, 0)
			if len(e.closed) > 0 {
				t.Error("OnClosed is called twice")
			}
		})
	}
}

func sendUntilError(t *testing.T, l *goamqp.Sender) error {
	for {
		if err := l.Send(testContext(t), goamqp.NewMessage(nil), nil); err != nil {
			return err
		}
	}
}

func TestAbortSaysNothing(t *testing.T) {
	e := newEnds()
	s := serve(t, amqp.Config{}, amqp.Handler{Attach: e.attach})
	l := newSender(t, session(t, dial(t, s, nil)), nil)
	wait(t, e.accepted).Session().Conn().Abort()
	if err := wait(t, e.closed); err == nil || err.Condition != amqp.CondConnectionForced {
		t.Errorf("OnClosed is told %v", err)
	}
	var end *goamqp.ConnError
	if err := sendUntilError(t, l); !errors.As(err, &end) || end.RemoteErr != nil {
		t.Errorf("the client is told %v", err)
	}
	if err := s.end(t, 0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve returns %v", err)
	}
}

func TestServeClosesWhenItsContextEnds(t *testing.T) {
	client, server := net.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	opened := make(chan *amqp.Conn, 1)
	served := make(chan error, 1)
	c := amqp.NewConn(server, amqp.Config{}, amqp.Handler{Open: func(c *amqp.Conn) *amqp.Error { opened <- c; return nil }})
	go func() { served <- c.Serve(ctx) }()
	stock, err := goamqp.NewConn(testContext(t), client, &goamqp.ConnOptions{Properties: map[string]any{"product": "test"}})
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := amqp.Lookup[string](wait(t, opened).Peer().Properties, amqp.Symbol("product")); got != "test" {
		t.Errorf("the product is %q", got)
	}
	cancel()
	wait(t, c.Done())
	var why *amqp.Error
	if err := wait(t, served); !errors.As(err, &why) || why.Condition != amqp.CondConnectionForced {
		t.Errorf("Serve returns %v", err)
	}
	wait(t, stock.Done())
	var end *goamqp.ConnError
	if err := stock.Err(); !errors.As(err, &end) || end.RemoteErr == nil || end.RemoteErr.Condition != goamqp.ErrCondConnectionForced {
		t.Errorf("the client is told %v", err)
	}
}

// A peer that does not answer our close is given up.
func TestCloseIsNotWaitedForForEver(t *testing.T) {
	e := newEnds()
	s := serve(t, amqp.Config{CloseTimeout: 1}, amqp.Handler{Attach: e.attach})
	newSender(t, session(t, dial(t, s, nil)), nil)
	wait(t, e.accepted).Session().Conn().Close(nil)
	if err := s.end(t, 0); err != nil {
		t.Errorf("Serve returns %v", err)
	}
}
