package amqp

import (
	"strings"
	"testing"

	goamqp "github.com/Azure/go-amqp"
)

func offered() []Mechanism {
	return []Mechanism{{Name: "MSSBCBS"}, Plain(func(user, password string) bool { return user == "u" && password == "p" }), Anonymous(), {Name: "EXTERNAL"}}
}

func TestMechanismsOfTheStockClient(t *testing.T) {
	for name, test := range map[string]struct {
		sasl goamqp.SASLType
		ok   bool
	}{
		"ANONYMOUS":         {goamqp.SASLTypeAnonymous(), true},
		"PLAIN":             {goamqp.SASLTypePlain("u", "p"), true},
		"PLAIN, wrong user": {goamqp.SASLTypePlain("x", "p"), false},
		"EXTERNAL":          {goamqp.SASLTypeExternal(""), true},
		"XOAUTH2":           {goamqp.SASLTypeXOAUTH2("u", "token", 0), false}, // not offered
	} {
		t.Run(name, func(t *testing.T) {
			chosen := make(chan Symbol, 1)
			p := connectRaw(t, Config{Mechanisms: offered()}, Handler{Open: func(c *Conn) *Error {
				chosen <- c.Mechanism()
				return nil
			}})
			c, err := goamqp.NewConn(t.Context(), p.nc, &goamqp.ConnOptions{SASLType: test.sasl})
			if (err == nil) != test.ok {
				t.Fatalf("the client says %v", err)
			}
			if err == nil {
				if got := <-chosen; got != Symbol(name) {
					t.Errorf("the mechanism is %q", got)
				}
				c.Close()
			}
		})
	}
}

// exchange has the raw peer choose a mechanism, and gives the server's answer.
func exchange(p *rawPeer, first *saslInit) composite {
	p.t.Helper()
	p.write([]byte(headerSASL))
	p.header(headerSASL)
	var names []string
	for _, m := range p.readSASL().(*saslMechanisms).Mechanisms {
		names = append(names, string(m))
	}
	if got := strings.Join(names, " "); got != "MSSBCBS PLAIN ANONYMOUS EXTERNAL" {
		p.t.Errorf("offered are %s", got)
	}
	p.sendSASL(first)
	return p.readSASL()
}

func (p *rawPeer) sendSASL(c composite) {
	p.t.Helper()
	b, err := appendFrame(nil, frameSASL, 0, c, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	p.write(b)
}

func (p *rawPeer) readSASL() composite {
	p.t.Helper()
	_, body, err := p.frames.readFrame(frameSASL)
	if err != nil {
		p.t.Fatal(err)
	}
	c, _, err := parsePerformative(body)
	if err != nil {
		p.t.Fatal(err)
	}
	return c
}

func TestMechanismWithAnEmptyResponse(t *testing.T) {
	p := connectRaw(t, Config{Mechanisms: offered()}, Handler{})
	if o := exchange(p, &saslInit{Mechanism: "MSSBCBS", InitialResponse: []byte{}}).(*saslOutcome); o.Code != SASLOK {
		t.Errorf("the outcome is %d", o.Code)
	}
	p.open(&Open{ContainerID: "raw", MaxFrameSize: 512})
}

func TestPlainWithoutInitialResponseIsChallenged(t *testing.T) {
	p := connectRaw(t, Config{Mechanisms: offered()}, Handler{})
	exchange(p, &saslInit{Mechanism: "PLAIN"}).(*saslChallenge).descriptor()
	p.sendSASL(&saslResponse{[]byte("\x00u\x00p")})
	if o := p.readSASL().(*saslOutcome); o.Code != SASLOK {
		t.Errorf("the outcome is %d", o.Code)
	}
}

func TestSASLThatFailsEndsTheConnection(t *testing.T) {
	for name, first := range map[string]*saslInit{
		"unknown mechanism": {Mechanism: "GSSAPI"},
		"wrong password":    {Mechanism: "PLAIN", InitialResponse: []byte("\x00u\x00q")},
		"malformed PLAIN":   {Mechanism: "PLAIN", InitialResponse: []byte("u")},
	} {
		t.Run(name, func(t *testing.T) {
			p := connectRaw(t, Config{Mechanisms: offered(), CloseTimeout: 1}, Handler{})
			if o := exchange(p, first).(*saslOutcome); o.Code != SASLAuth {
				t.Errorf("the outcome is %d", o.Code)
			}
			if !p.hungUp() {
				t.Error("the connection stays")
			}
			if err := p.end(); err == nil || strings.Contains(err.Error(), "q\"") {
				t.Errorf("Serve returns %v", err)
			}
		})
	}
}

func TestSASLOutOfTurn(t *testing.T) {
	p := connectRaw(t, Config{Mechanisms: offered(), CloseTimeout: 1}, Handler{})
	p.write([]byte(headerSASL))
	p.sendSASL(&saslResponse{[]byte{}})
	if err := p.end(); err == nil {
		t.Error("Serve returns no error")
	}
}
