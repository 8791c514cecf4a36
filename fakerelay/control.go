package fakerelay

// The control API, for tests in any language: faults, the trace, reset, restart and the configuration, on the TLS ports
// under a path that no entity can have, since their names begin with a letter or a digit. It is the fake's own and no
// part of the service. It asks for what the management API asks for: a token with the Manage right, and that for the
// whole namespace.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"passback/clock"
)

const (
	controlPath    = "/$passback"
	maxControlBody = 64 << 10                  // bytes
	controlLife    = 10 * 365 * 24 * time.Hour // of ControlToken
	maxTraceBehind = 10_000                    // lines that wait for who reads the trace too slowly; more are left out
)

const (
	textControlToken = "a token for the whole namespace with the Manage right is wanted in the Authorization header"
	textControlPath  = "the control API has no such path and method"
	textControlBody  = "the body must be one JSON object of the documented keys, 64 KiB at most: %v"
	textConnection   = "connection must be a number, as the trace has it"
	textTraceBehind  = "%d lines are left out: the reader is too slow\n"
)

// ControlURL is where the control API is.
func (n *Namespace) ControlURL() string { return n.ManagementURL() + controlPath }

// ControlToken is what the control API wants in the Authorization header: a shared access signature for the whole
// namespace that lasts ten years. It is empty if none of the keys that the namespace was made with has the Manage right.
func (n *Namespace) ControlToken() string {
	for _, k := range n.startKeys {
		if k.Rights.Has(Manage) {
			return k.Sign("sb://localhost/", clock.Real().Now().Add(controlLife))
		}
	}
	return ""
}

// control serves it. Every answer but the trace is JSON.
func (n *Namespace) control() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"GET /faults":         func(*http.Request) (any, error) { return n.Faults(), nil },
		"POST /faults":        n.postFault,
		"DELETE /faults":      n.deleteFaults,
		"DELETE /faults/{id}": n.deleteFault,
		"POST /reset":         func(*http.Request) (any, error) { return done, n.Reset() },
		"POST /restart":       n.postRestart,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			answer, err := handle(r)
			if err != nil {
				controlAnswer(w, controlStatus(err), controlProblem{err.Error()})
				return
			}
			controlAnswer(w, http.StatusOK, answer)
		})
	}
	mux.HandleFunc("GET /trace", n.streamTrace)
	mux.HandleFunc("GET /config", n.getConfig)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		controlAnswer(w, http.StatusNotFound, controlProblem{textControlPath})
	})
	return http.StripPrefix(controlPath, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		granted, err := n.verifyHTTP(r.Header.Get("Authorization"), "")
		if err != nil || !granted.rights.Has(Manage) {
			controlAnswer(w, http.StatusUnauthorized, controlProblem{textControlToken})
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, maxControlBody)
		mux.ServeHTTP(w, r)
	}))
}

// done answers what has nothing to tell.
var done = map[string]string{"status": "done"}

type controlProblem struct {
	Error string `json:"error"`
}

// badControl is an error of the caller's.
type badControl struct{ error }

func controlStatus(err error) int {
	var bad badControl
	switch {
	case errors.As(err, &bad):
		return http.StatusBadRequest
	case errors.Is(err, ErrNoFault):
		return http.StatusNotFound
	}
	return http.StatusInternalServerError
}

func controlAnswer(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	_ = out.Encode(answer) // who asked has gone
}

// postFault takes a Fault and answers with it as it is listed.
func (n *Namespace) postFault(r *http.Request) (any, error) {
	var f Fault
	if err := json.NewDecoder(r.Body).Decode(&f); err != nil {
		return nil, badControl{fmt.Errorf(textControlBody, err)}
	}
	id, err := n.AddFault(f)
	if err != nil {
		return nil, badControl{err}
	}
	for _, f := range n.Faults() {
		if f.ID == id {
			return f, nil
		}
	}
	return done, nil // removed meanwhile
}

func (n *Namespace) deleteFaults(*http.Request) (any, error) {
	n.ClearFaults()
	return n.Faults(), nil
}

func (n *Namespace) deleteFault(r *http.Request) (any, error) {
	if err := n.RemoveFault(r.PathValue("id")); err != nil {
		return nil, err
	}
	return n.Faults(), nil
}

func (n *Namespace) postRestart(*http.Request) (any, error) {
	n.Restart()
	return done, nil
}

// getConfig answers with a Config.json; what has no place there is in the header Warning.
func (n *Namespace) getConfig(w http.ResponseWriter, _ *http.Request) {
	var file bytes.Buffer
	warnings, err := WriteConfig(&file, n.Entities())
	if err != nil {
		controlAnswer(w, http.StatusInternalServerError, controlProblem{err.Error()})
		return
	}
	for _, text := range warnings {
		w.Header().Add("Warning", "299 passback "+strconv.Quote(text))
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(file.Bytes()) // who asked has gone
}

// streamTrace writes the trace until the client goes: of the connection that the query names, or of all.
func (n *Namespace) streamTrace(w http.ResponseWriter, r *http.Request) {
	var only uint64
	if text := r.URL.Query().Get("connection"); text != "" {
		var err error
		if only, err = strconv.ParseUint(text, 10, 64); err != nil {
			controlAnswer(w, http.StatusBadRequest, controlProblem{textConnection})
			return
		}
	}
	stream := http.NewResponseController(w)
	if err := stream.SetReadDeadline(time.Time{}); err != nil { // which would end the request
		n.log.Debug("trace not streamed", "err", err)
		return
	}
	lines := make(chan string, maxTraceBehind)
	lost := 0
	stop := n.trace.add(func(connection uint64, line string) { // one call at a time
		if only != 0 && connection != only {
			return
		}
		if lost > 0 {
			line = fmt.Sprintf(textTraceBehind, lost) + line
		}
		select {
		case lines <- line:
			lost = 0
		default:
			lost++
		}
	})
	defer stop()
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	for stream.Flush() == nil {
		select {
		case line := <-lines:
			if _, err := w.Write([]byte(line)); err != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-n.ctx.Done():
			return
		}
	}
}
