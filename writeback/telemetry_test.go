package writeback_test

import (
	"encoding/base64"
	"encoding/hex"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf16"

	metricspb "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	tracepb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"passback/writeback"
	"passback/writeback/protocol"
)

// A collector takes what is pushed over OTLP/HTTP.
type collector struct {
	*httptest.Server
	mu      sync.Mutex
	bodies  [][]byte
	spans   map[string][]string // names, by trace id in hex
	metrics []string
}

func newCollector(l *lab) *collector {
	c := &collector{spans: map[string][]string{}}
	c.Server = httptest.NewUnstartedServer(http.HandlerFunc(c.take))
	config, err := l.dc.CA().ServerConfig()
	must(l.t, err)
	c.TLS = config
	c.StartTLS()
	l.t.Cleanup(c.Close)
	return c
}

func (c *collector) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.bodies = append(c.bodies, body)
	switch r.URL.Path {
	case "/v1/traces":
		var m tracepb.ExportTraceServiceRequest
		if proto.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, resource := range m.ResourceSpans {
			for _, scope := range resource.ScopeSpans {
				for _, s := range scope.Spans {
					c.spans[hex.EncodeToString(s.TraceId)] = append(c.spans[hex.EncodeToString(s.TraceId)], s.Name)
				}
			}
		}
	case "/v1/metrics":
		var m metricspb.ExportMetricsServiceRequest
		if proto.Unmarshal(body, &m) != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		for _, resource := range m.ResourceMetrics {
			for _, scope := range resource.ScopeMetrics {
				for _, one := range scope.Metrics {
					c.metrics = append(c.metrics, one.Name)
				}
			}
		}
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// The trace of a request is found by its tracking id, and nothing that an agent leaves behind holds a password.
func TestTraceOfARequestAndNoPasswordAnywhere(t *testing.T) {
	l := newLab(t)
	pushed := newCollector(l)
	l.writeConfig(l.yaml("otlp: " + pushed.URL + "\n"))
	stop := l.start(l.enrolled())

	const taken, refused, wrong = "Spring-Evening-42", "Summer-Alice-43", "Not-My-Password-1"
	ok := l.request(nil)
	if a := l.ask(ok, newPassword(taken)); a.Outcome != protocol.Success {
		t.Fatalf("answered %+v", a)
	}
	against := l.request(nil)
	if a := l.ask(against, newPassword(refused)); a.Outcome != protocol.PolicyViolation {
		t.Fatalf("answered %+v", a)
	}
	change := func(r *protocol.Request) { r.Operation, r.Unlock = protocol.Change, false }
	if a := l.ask(l.request(change), protocol.Secrets{Old: protocol.NewSecret(wrong), New: protocol.NewSecret(refused)}); a.Outcome != protocol.IncorrectPassword {
		t.Fatalf("answered %+v", a)
	}
	left := map[string]string{}
	l.look(left, "of a running agent", ok.TrackingID, against.TrackingID)
	must(t, stop())
	l.look(left, "of one that has ended", ok.TrackingID, against.TrackingID)
	if text := l.logText(); !strings.Contains(text, "hr=80230619, message=A restriction prevents the password from being changed to the current one specified., Context: ") {
		t.Errorf("the refusal's event does not say what the synchronisation engine says:\n%s", text)
	}

	pushed.mu.Lock()
	defer pushed.mu.Unlock()
	for id, want := range map[protocol.TrackingID][]string{
		ok.TrackingID:      {"answer", "find", "modify", "reset"},
		against.TrackingID: {"answer", "diagnose", "find", "modify", "modify", "reset"}, // the refusal, and its burning
	} {
		got := pushed.spans[strings.ReplaceAll(string(id), "-", "")]
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("the trace of %s has the spans %v, want %v", id, got, want)
		}
	}
	for _, name := range []string{"passback.requests", "passback.request.duration", "passback.heartbeats"} {
		if !slices.Contains(pushed.metrics, name) {
			t.Errorf("%s was not pushed, but %v", name, pushed.metrics)
		}
	}

	left["the log"] = l.logText()
	for _, body := range pushed.bodies {
		left["what was pushed"] += string(body)
	}
	state := filepath.Join(l.dir, "state")
	must(t, filepath.WalkDir(state, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.Type().IsRegular() {
			var text []byte
			text, err = os.ReadFile(path)
			left[path] = string(text)
		}
		return err
	}))
	if len(left) < 21 { // 16 of commands, log, traces, key, enrolment, journal, status
		t.Fatalf("only %d outputs were looked at", len(left))
	}
	for where, text := range left {
		for _, secret := range []string{taken, refused, wrong, initial, bindPassword} {
			for _, form := range formsOf(secret) {
				if strings.Contains(text, form) {
					t.Errorf("%s holds a password", where)
				}
			}
		}
	}
}

// look keeps all that the commands print that look at an agent, as text and as JSON.
func (l *lab) look(left map[string]string, when string, ids ...protocol.TrackingID) {
	l.t.Helper()
	lines := [][]string{{"status"}, {"doctor", "--user", "alice@corp.example"}}
	for _, id := range ids {
		lines = append(lines, []string{"explain", string(id)})
	}
	for _, line := range lines {
		for _, more := range [][]string{nil, {"--json"}} {
			words := slices.Concat(line, more)
			_, out, errs := l.verb(words...)
			if len(out) < 40 {
				l.t.Errorf("%s %s printed %q %q", strings.Join(words, " "), when, out, errs)
			}
			left[strings.Join(words, " ")+" "+when] = out + errs
		}
	}
}

// formsOf a password: as it is, as unicodePwd takes it, and both in base64 and hex.
func formsOf(secret string) []string {
	var wide []byte
	for _, unit := range utf16.Encode([]rune(secret)) {
		wide = append(wide, byte(unit), byte(unit>>8))
	}
	forms := []string{secret, string(wide)}
	for _, form := range []string{secret, string(wide)} {
		whole := form[:len(form)-len(form)%3] // what follows it in base64 does not change these
		forms = append(forms, base64.StdEncoding.EncodeToString([]byte(whole)), hex.EncodeToString([]byte(form)))
	}
	return forms
}

func TestCollectorIsOutsideByPort443Alone(t *testing.T) {
	for otlp, allowed := range map[string]bool{
		"": true, "https://collector.example": true, "https://collector.example:443/": true, "https://127.0.0.1:4318": true, "http://localhost:4318": true,
		"http://collector.example": false, "https://collector.example:4318": false, "https://u:p@collector.example": false,
		"https://collector.example/v1/traces": false, "collector.example": false, "ftp://localhost": false,
	} {
		l := filepath.Join(t.TempDir(), "agent.yaml")
		must(t, os.WriteFile(l, []byte("cloud: https://cloud.example/enrol\nstate_dir: state\notlp: \""+otlp+"\"\ndirectories:\n  - domain: corp.example\n    bind: {user: svc, password_file: bind.secret}\n"), 0o600))
		_, err := writeback.LoadConfig(l)
		if (err == nil) != allowed {
			t.Errorf("otlp: %q: %v, want that it is allowed: %t", otlp, err, allowed)
		}
		if err != nil && strings.Contains(err.Error(), "u:p") {
			t.Errorf("the error shows a password: %v", err)
		}
	}
}
