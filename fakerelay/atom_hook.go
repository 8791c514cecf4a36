package fakerelay

// Hooks and faults of the management API: what goes wrong with a request before it takes effect, or after it.

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"
)

// Texts of the service's article on its Resource Manager exceptions (429 and 500); nothing is documented of Retry-After.
const (
	textManyRequests = "SubCode=50004. The request was terminated because the namespace %s is being throttled. To know more visit https://aka.ms/sbResourceMgrExceptions. ."
	textMadeRefusal  = "SubCode=%d00. %s. To know more visit https://aka.ms/sbResourceMgrExceptions. ."
)

// consult asks the hooks about the request. An error ends it; http.ErrAbortHandler is that of one who gets no answer.
func (c *atomCall) consult(w http.ResponseWriter, done bool) error {
	if !c.ns.hooks.any.Load() {
		return nil
	}
	a := c.ns.hooks.ask(Event{Kind: Administer, Done: done, Entity: c.at.String(), Operation: c.r.Method})
	switch a.verb {
	case drop:
		return c.wait(w, nil)
	case hold:
		return c.wait(w, a.until)
	case disconnect:
		return http.ErrAbortHandler
	case throttle, refuse, refuseStatus:
		return c.refused(w, a)
	}
	return nil
}

func (c *atomCall) refused(w http.ResponseWriter, a Action) *atomError {
	if a.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.FormatFloat(math.Ceil(a.retryAfter.Seconds()), 'f', 0, 64))
	}
	if a.verb == throttle {
		return &atomError{http.StatusTooManyRequests, fmt.Sprintf(textManyRequests, c.namespaceName())}
	}
	e := &atomError{int(a.answer.status), a.answer.text}
	if e.text == "" {
		e.text = fmt.Sprintf(textMadeRefusal, e.status, http.StatusText(e.status))
	}
	return e
}

// wait lets the request go on after until; nil: never. It gives up when the client goes, or is cut off as the namespace ends.
func (c *atomCall) wait(w http.ResponseWriter, until <-chan struct{}) error {
	// The server sees a client go only once the body has been read, and while its time to read has not run out.
	body, err := io.ReadAll(c.r.Body)
	if err != nil {
		return fmt.Errorf("read the request: %w", err)
	}
	c.r.Body = io.NopCloser(bytes.NewReader(body))
	if err := http.NewResponseController(w).SetReadDeadline(time.Time{}); err != nil {
		return fmt.Errorf("wait for longer than a request may take: %w", err)
	}
	select {
	case <-until:
		return nil
	case <-c.r.Context().Done():
	}
	return http.ErrAbortHandler
}
