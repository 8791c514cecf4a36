package graph

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"passback/clock"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// passwordMethod (authenticationmethod-resetpassword.md, passwordauthenticationmethod-list.md): an administrator
// resets another user's password. It is accepted at once and carried out as a long-running operation; what the
// cloud itself can refuse, the body and the banned passwords, it refuses before that.

type resetBody struct {
	NewPassword *string `json:"newPassword"`
}

func (c *call) resetPassword() *problem {
	u, known := c.h.tenant.User(c.r.PathValue("user"))
	switch {
	case !c.caller.Admin:
		return errDenied
	case !known:
		return errUser
	case c.r.PathValue("method") != PasswordMethodID:
		return errPasswordMethod
	case u.ID == c.caller.ID:
		return errOwnAccount
	}
	var body resetBody
	if p := c.body(&body); p != nil {
		return p
	}
	if body.NewPassword == nil || *body.NewPassword == "" {
		return errNoPassword
	}
	password := protocol.NewSecret(*body.NewPassword)
	if g := c.h.tenant.CheckPassword(password); g != nil {
		return &problem{http.StatusBadRequest, "badRequest", g.Name + ": " + g.User}
	}
	id, err := protocol.NewTrackingID()
	if err != nil {
		return errInternal
	}
	op := c.h.start(cloud.Ask{ID: id, Way: cloud.GraphReset, User: u.ID, Actor: c.caller.UPN, New: password})
	c.w.Header().Set("Location", c.base()+"/users/"+url.PathEscape(u.ID)+"/authentication/operations/"+op.ID)
	c.w.Header().Set("Retry-After", "1")
	c.answer(http.StatusAccepted, map[string]any{"@odata.context": c.metadata("microsoft.graph.passwordResetResponse")})
	return nil
}

func (c *call) listPasswordMethods() *problem {
	u, known := c.h.tenant.User(c.r.PathValue("user"))
	switch {
	case !known:
		return errUser
	case !c.caller.Admin && u.ID != c.caller.ID:
		return errDenied
	}
	c.answer(http.StatusOK, map[string]any{
		"@odata.context": c.metadata("users('" + u.ID + "')/authentication/passwordMethods"),
		"value":          []map[string]any{{"id": PasswordMethodID, "password": nil, "createdDateTime": nil}},
	})
	return nil
}

type changeBody struct {
	CurrentPassword *string `json:"currentPassword"`
	NewPassword     *string `json:"newPassword"`
}

// changePassword (user-changepassword.md) is documented as not written back: the cloud's copy alone changes, and
// the answer, 204 without a body, says nothing of it. The audit log and the sandbox's trace do.
func (c *call) changePassword() *problem {
	var body changeBody
	if p := c.body(&body); p != nil {
		return p
	}
	if body.CurrentPassword == nil || body.NewPassword == nil {
		return &problem{http.StatusBadRequest, "Request_BadRequest", "currentPassword and newPassword are required."}
	}
	result := c.h.tenant.Perform(c.r.Context(), cloud.Ask{
		Way: cloud.GraphChange, User: c.caller.ID,
		Old: protocol.NewSecret(*body.CurrentPassword), New: protocol.NewSecret(*body.NewPassword),
	})
	if result.Outcome != protocol.Success {
		return &problem{http.StatusBadRequest, "Request_BadRequest", result.Reason + ": " + result.Text}
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// operation is a longRunningOperation (resources/longrunningoperation.md). Its id is the request's tracking id.
type operation struct {
	ID           string    `json:"id"`
	Status       string    `json:"status"`
	StatusDetail string    `json:"statusDetail"`
	Created      time.Time `json:"createdDateTime"`
	LastAction   time.Time `json:"lastActionDateTime"`
	Resource     string    `json:"resourceLocation"`
	user         string
}

const (
	statusRunning   = "running"
	statusSucceeded = "succeeded"
	statusFailed    = "failed"
	// statusUnknown is the sentinel of Graph's evolvable enumerations: what a client is shown that did not ask for
	// members it may not know. An outcome that nobody knows is neither a success nor a failure.
	statusUnknown = "unknownFutureValue"
)

// maxOperations are kept; the oldest make room.
const maxOperations = 1000

// start carries ask out in the background, and keeps its operation.
func (h *Handler) start(ask cloud.Ask) operation {
	now := clock.Real().Now().UTC()
	op := &operation{ID: string(ask.ID), Status: statusRunning, Created: now, LastAction: now, user: ask.User}
	h.mu.Lock()
	h.operations[op.ID] = op
	if h.order = append(h.order, op.ID); len(h.order) > maxOperations {
		delete(h.operations, h.order[0])
		h.order = slices.Delete(h.order, 0, 1)
	}
	started := *op
	h.mu.Unlock()
	h.running.Go(func() {
		result := h.tenant.Perform(h.ctx, ask)
		h.mu.Lock()
		defer h.mu.Unlock()
		op.Status, op.StatusDetail, op.LastAction = statusOf(result), detailOf(result), clock.Real().Now().UTC()
	})
	return started
}

func statusOf(r cloud.Result) string {
	return map[protocol.Changed]string{
		protocol.ChangedYes: statusSucceeded, protocol.ChangedNo: statusFailed, protocol.ChangedMaybe: statusUnknown,
	}[r.Changed]
}

// detailOf tells an administrator: outcome, code, and what to do. The directory's own words come last.
func detailOf(r cloud.Result) string {
	if r.Outcome == protocol.Success {
		if slices.Contains(r.Notes, protocol.MustChangeDropped) {
			return "mustChangeDropped: the password never expires, so a change at the next sign-in was not asked for."
		}
		return ""
	}
	parts := []string{string(r.Outcome) + ": " + r.AdminText}
	if r.SSPR != "" {
		parts = append(parts, "("+r.SSPR+" "+r.Reason+")")
	}
	if v := r.Violation; v != nil {
		parts = append(parts, "Rule: "+string(v.Rule)+" ("+string(v.Certainty)+").")
	}
	if r.Detail != "" {
		parts = append(parts, "Directory: "+r.Detail)
	}
	return strings.Join(parts, " ")
}

func (c *call) getOperation() *problem {
	u, known := c.h.tenant.User(c.r.PathValue("user"))
	switch {
	case !c.caller.Admin:
		return errDenied
	case !known:
		return errUser
	}
	c.h.mu.Lock()
	op := c.h.operations[c.r.PathValue("operation")]
	if op == nil || op.user != u.ID {
		c.h.mu.Unlock()
		return errOperation
	}
	shown := *op
	c.h.mu.Unlock()
	shown.Resource = c.base() + "/users/" + url.PathEscape(u.ID) + "/authentication/methods/" + PasswordMethodID
	if shown.Status == statusRunning {
		c.w.Header().Set("Retry-After", "1")
	}
	c.answer(http.StatusOK, struct {
		Context string `json:"@odata.context"`
		operation
	}{c.metadata("users('" + u.ID + "')/authentication/operations/$entity"), shown})
	return nil
}
