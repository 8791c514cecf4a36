package fakerelay_test

import (
	"bufio"
	"crypto/tls"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"passback/fakerelay"
)

// controller speaks the control API as curl would.
type controller struct {
	t     *testing.T
	n     *fakerelay.Namespace
	http  *http.Client
	token string
}

func newController(t *testing.T, n *fakerelay.Namespace) *controller {
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}
	t.Cleanup(transport.CloseIdleConnections)
	return &controller{t, n, &http.Client{Transport: transport}, n.ControlToken()}
}

func (c *controller) open(method, path, body string) *http.Response {
	c.t.Helper()
	r, err := http.NewRequestWithContext(within(c.t), method, c.n.ControlURL()+path, strings.NewReader(body))
	must(c.t, err)
	r.Header.Set("Authorization", c.token)
	answer, err := c.http.Do(r)
	must(c.t, err)
	c.t.Cleanup(func() { answer.Body.Close() })
	return answer
}

func (c *controller) call(method, path, body string) (status int, answer string) {
	c.t.Helper()
	response := c.open(method, path, body)
	text, err := io.ReadAll(response.Body)
	must(c.t, err)
	return response.StatusCode, string(text)
}

func TestFaultsOverHTTP(t *testing.T) {
	n := fakerelay.RunT(t)
	control := newController(t, n)
	status, text := control.call("POST", "/faults", `{"effect": "duplicate", "operation": "enqueue", "entity": "queue.1"}`)
	if status != http.StatusOK || text != `{"effect":"duplicate","operation":"enqueue","entity":"queue.1","nth":1,"times":1,"probability":1,"id":"f1","seen":0,"hits":0,"over":false}`+"\n" {
		t.Errorf("added: %d %s", status, text)
	}
	sender := newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue)
	send(t, sender, body("twice"))
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	if q.Count() != 2 {
		t.Errorf("%d messages, want two", q.Count())
	}
	_, text = control.call("GET", "/faults", "")
	var list []fakerelay.Fault
	must(t, json.Unmarshal([]byte(text), &list))
	if len(list) != 1 || list[0].Hits != 1 || !list[0].Over {
		t.Errorf("listed: %s", text)
	}
	if status, text = control.call("DELETE", "/faults/f9", ""); status != http.StatusNotFound {
		t.Errorf("removing another: %d %s", status, text)
	}
	if status, text = control.call("DELETE", "/faults/f1", ""); status != http.StatusOK || text != "[]\n" {
		t.Errorf("removed: %d %s", status, text)
	}
	control.call("POST", "/faults", `{"effect": "swallow", "operation": "enqueue"}`)
	if status, text = control.call("DELETE", "/faults", ""); status != http.StatusOK || len(n.Faults()) != 0 {
		t.Errorf("cleared: %d %s", status, text)
	}
	for _, bad := range []string{`{"effect": "swallow"`, `[]`, `{"effect": "swallow", "entitty": "q"}`, `{"effect": "explode"}`, `"` + strings.Repeat("x", 70<<10) + `"`} {
		if status, text := control.call("POST", "/faults", bad); status != http.StatusBadRequest || !strings.HasPrefix(text, `{"error":"`) {
			t.Errorf("%.60s: %d %s", bad, status, text)
		}
	}
	if status, _ = control.call("PUT", "/faults", ""); status != http.StatusNotFound {
		t.Errorf("an unknown method: %d", status)
	}
}

// Nobody controls the namespace who could not manage it, and no entity can stand in the way.
func TestControlNeedsManageOnTheNamespace(t *testing.T) {
	manage, listen := newKey(fakerelay.Manage), newKey(fakerelay.Listen|fakerelay.Send)
	manage.Name = "root"
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{manage, listen}})
	own := newKey(fakerelay.Manage)
	must(t, n.SetKey(fakerelay.DefaultQueue, own))
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	wrong := manage
	wrong.Secret = fakerelay.NewSecret()
	control := newController(t, n)
	for what, token := range map[string]string{
		"no token": "", "rights too few": listen.Sign("sb://localhost/", soon), "a token of one queue": own.Sign("sb://localhost/queue.1", soon),
		"Manage, but for one queue": manage.Sign("sb://localhost/queue.1", soon), "an old token": manage.Sign("sb://localhost/", past),
		"a wrong secret": wrong.Sign("sb://localhost/", soon), "nonsense": "Bearer x",
	} {
		control.token = token
		for _, call := range [][2]string{{"GET", "/faults"}, {"POST", "/reset"}, {"GET", "/trace"}, {"GET", "/config"}, {"GET", "/nothing"}} {
			if status, text := control.call(call[0], call[1], ""); status != http.StatusUnauthorized {
				t.Errorf("%s, %v: %d %s", what, call, status, text)
			}
		}
	}
	control.token = manage.Sign("sb://localhost/", soon)
	if status, text := control.call("GET", "/faults", ""); status != http.StatusOK {
		t.Errorf("a good token: %d %s", status, text)
	}
	if err := n.CreateQueue(fakerelay.QueueOptions{Name: "$passback/faults"}); err == nil {
		t.Error("an entity of the control API's path was made")
	}
	without := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{listen}})
	if without.ControlToken() != "" {
		t.Error("there is a control token without a key that manages")
	}
}

func TestTraceOverHTTP(t *testing.T) {
	n := fakerelay.RunT(t)
	control := newController(t, n)
	all, second := control.open("GET", "/trace", ""), control.open("GET", "/trace?connection=2", "")
	for range 2 {
		send(t, newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue), body("m"))
	}
	lines := bufio.NewScanner(second.Body)
	for number := 0; ; number++ {
		if !lines.Scan() {
			t.Fatalf("the trace ended: %v", lines.Err())
		}
		_, line, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(line, "2 ") {
			t.Fatalf("line %d is of another connection: %s", number, line)
		}
		if number == 0 && !strings.HasPrefix(line, "2 ++ connected from ") {
			t.Errorf("the first line is %s", line)
		}
		if strings.HasPrefix(line, `2 <- 0: transfer `) {
			break
		}
	}
	lines = bufio.NewScanner(all.Body)
	if !lines.Scan() || !strings.Contains(lines.Text(), " 1 ++ connected from ") {
		t.Errorf("the first line of all is %s", lines.Text())
	}
	if status, _ := control.call("GET", "/trace?connection=x", ""); status != http.StatusBadRequest {
		t.Errorf("a bad number: %d", status)
	}
	must(t, n.Close()) // ends the streams
	if _, err := io.Copy(io.Discard, all.Body); err != nil {
		t.Logf("the stream ended with %v", err)
	}
}

func TestResetRestartAndConfigOverHTTP(t *testing.T) {
	n := fakerelay.RunT(t)
	control := newController(t, n)
	must(t, n.CreateQueue(fakerelay.QueueOptions{Name: "another", AutoDeleteOnIdle: time.Hour}))
	response := control.open("GET", "/config", "")
	read, warnings, err := fakerelay.ReadConfig(response.Body)
	must(t, err)
	if len(warnings) > 0 || len(read.Queues) != 2 || read.Queues[0].Name != "another" {
		t.Errorf("config %+v, warnings %q", read, warnings)
	}
	if got := response.Header.Get("Warning"); got != `299 passback "queue another: AutoDeleteOnIdle has no place in a Config.json and is left out"` {
		t.Errorf("warned of %s", got)
	}
	sender := newSender(t, client(t, n.ConnectionString(), impatient), fakerelay.DefaultQueue)
	send(t, sender, body("m"))
	if status, text := control.call("POST", "/restart", ""); status != http.StatusOK || text != `{"status":"done"}`+"\n" {
		t.Errorf("restart: %d %s", status, text)
	}
	send(t, sender, body("m"))
	if status, text := control.call("POST", "/reset", ""); status != http.StatusOK {
		t.Errorf("reset: %d %s", status, text)
	}
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	if q.Count() != 0 || len(n.Entities().Queues) != 1 {
		t.Errorf("after the reset: %d messages, entities %+v", q.Count(), n.Entities())
	}
}
