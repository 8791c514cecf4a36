package sim

import (
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"passback/fakerelay"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// The control API, for tests and tools: JSON in and out, with the api_token of the ready file as bearer token. It is
// the sandbox's own and no part of what it imitates.

const (
	maxAPIBody = 64 << 10
	maxAdvance = 10 * 365 * day // at once
)

func (w *World) api() http.Handler {
	mux := http.NewServeMux()
	for pattern, handle := range map[string]func(*http.Request) (any, error){
		"GET /api/clock":          w.getClock,
		"POST /api/clock":         w.postClock,
		"GET /api/trace":          w.getTrace,
		"GET /api/agents":         func(*http.Request) (any, error) { return w.Cloud.Agents(), nil },
		"POST /api/agents":        w.postAgents,
		"DELETE /api/agents/{id}": w.deleteAgent,
		"GET /api/relay-keys":     func(*http.Request) (any, error) { return w.Cloud.RelayKeys(), nil },
		"POST /api/relay-keys":    w.postRelayKeys,
		"GET /api/users":          func(*http.Request) (any, error) { return w.Cloud.Users(), nil },
		"GET /api/audit":          func(*http.Request) (any, error) { return w.Cloud.Audit(), nil },
		"GET /api/settings":       func(*http.Request) (any, error) { return w.Cloud.Settings(), nil },
		"PUT /api/settings":       w.putSettings,
		"POST /api/sync":          func(r *http.Request) (any, error) { return w.Cloud.Sync(r.Context()) },
		"POST /api/ask":           w.postAsk,
		"POST /api/signin":        w.postSignIn,
		"GET /api/faults":         func(*http.Request) (any, error) { return w.Faults(), nil },
		"POST /api/faults":        w.postFaults,
		"DELETE /api/faults":      w.deleteFaults,
		"POST /api/world/reset":   func(r *http.Request) (any, error) { return carriedOut, w.Reset(r.Context()) },
	} {
		mux.HandleFunc(pattern, func(out http.ResponseWriter, r *http.Request) {
			result, err := handle(r)
			if err != nil {
				answer(out, statusOf(err), problem{err.Error()})
				return
			}
			answer(out, http.StatusOK, result)
		})
	}
	mux.HandleFunc("/api/", func(out http.ResponseWriter, _ *http.Request) {
		answer(out, http.StatusNotFound, problem{"the control API has no such path and method"})
	})
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+w.apiToken)) != 1 {
			out.Header().Set("WWW-Authenticate", "Bearer")
			answer(out, http.StatusUnauthorized, problem{"the api_token of the ready file is wanted: Authorization: Bearer TOKEN"})
			return
		}
		mux.ServeHTTP(out, r)
	})
}

// carriedOut answers what has nothing to tell.
var carriedOut = map[string]string{"status": "done"}

// badInput is an error of the caller's.
type badInput struct{ error }

func (b badInput) Unwrap() error { return b.error }

func statusOf(err error) int {
	if _, ok := errors.AsType[badInput](err); ok {
		return http.StatusBadRequest
	}
	return http.StatusConflict
}

// read takes one JSON object; keys that v does not know are refused.
func read(r *http.Request, v any) error {
	d := json.NewDecoder(io.LimitReader(r.Body, maxAPIBody))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		// Not the error itself, which may quote a password.
		return badInput{errors.New("the body must be one JSON object of the documented keys, 64 KiB at most")}
	}
	return nil
}

type clockState struct {
	Now   time.Time `json:"now"`
	Ahead string    `json:"ahead"` // of real time
}

func (w *World) getClock(*http.Request) (any, error) {
	return clockState{w.Clock.Now().UTC(), w.ahead().Round(time.Millisecond).String()}, nil
}

func (w *World) postClock(r *http.Request) (any, error) {
	var body struct {
		Advance string `json:"advance"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	d, err := time.ParseDuration(body.Advance)
	if err != nil || d <= 0 || d > maxAdvance {
		return nil, badInput{fmt.Errorf("advance %.40q: want a duration such as 24h, more than 0 and at most %s; the clock never goes back", body.Advance, maxAdvance)}
	}
	if err := w.Advance(r.Context(), d); err != nil {
		return nil, err
	}
	return w.getClock(r)
}

func (w *World) getTrace(r *http.Request) (any, error) {
	if id := r.URL.Query().Get("id"); id != "" {
		return map[string]any{"trackingId": id, "hops": w.Trace.Of(id)}, nil
	}
	return map[string]any{"trackingIds": w.Trace.IDs()}, nil
}

func (w *World) postAgents(*http.Request) (any, error) {
	return map[string]any{
		"url": w.EnrolURL(), "token": w.Cloud.NewEnrolToken(cloud.TokenLifetime).Reveal(), "lifetime": cloud.TokenLifetime.String(),
	}, nil
}

func (w *World) deleteAgent(r *http.Request) (any, error) {
	return carriedOut, w.Cloud.Unenrol(r.Context(), r.PathValue("id"))
}

// postRelayKeys replaces relay keys, as the administrator does.
func (w *World) postRelayKeys(r *http.Request) (any, error) {
	var body struct {
		Agent     string `json:"agent"` // id; empty: all, and the cloud's own
		Immediate bool   `json:"immediate"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	rotation := cloud.Rotation{Agent: body.Agent, Immediate: body.Immediate, Actor: adminName}
	if err := w.Cloud.RotateRelayKeys(r.Context(), rotation); err != nil {
		return nil, err
	}
	return w.Cloud.RelayKeys(), nil
}

func (w *World) putSettings(r *http.Request) (any, error) {
	s := w.Cloud.Settings()
	if err := read(r, &s); err != nil {
		return nil, err
	}
	if err := w.Cloud.SetSettings(s); err != nil {
		return nil, badInput{err}
	}
	return w.Cloud.Settings(), nil
}

func (w *World) postAsk(r *http.Request) (any, error) {
	var body struct {
		Way   cloud.Way `json:"way"`
		User  string    `json:"user"`
		Actor string    `json:"actor"`
		Old   string    `json:"old"`
		New   string    `json:"new"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if !body.Way.Known() {
		return nil, badInput{fmt.Errorf("way %.40q: want one of %q", body.Way, cloud.Ways())}
	}
	return w.Cloud.Perform(r.Context(), cloud.Ask{
		Way: body.Way, User: body.User, Actor: body.Actor, Old: protocol.NewSecret(body.Old), New: protocol.NewSecret(body.New),
	}), nil
}

func (w *World) postSignIn(r *http.Request) (any, error) {
	var body struct {
		User     string `json:"user"`
		Password string `json:"password"`
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	return w.Cloud.SignIn(r.Context(), body.User, protocol.NewSecret(body.Password)), nil
}

func (w *World) postFaults(r *http.Request) (any, error) {
	var body struct {
		Name  string           `json:"name"`  // one of the list
		Relay *fakerelay.Fault `json:"relay"` // or any of the relay's
	}
	if err := read(r, &body); err != nil {
		return nil, err
	}
	arm := func() error { return w.ArmFault(body.Name) }
	if body.Relay != nil {
		arm = func() error { return w.ArmRelayFault(*body.Relay) }
	}
	if err := arm(); err != nil {
		return nil, badInput{err}
	}
	return w.Faults(), nil
}

func (w *World) deleteFaults(*http.Request) (any, error) {
	w.DisarmFaults()
	return w.Faults(), nil
}
