package graph

import (
	"net/http"

	"passback/clock"
)

// A problem is one of Graph's errors: {"error": {"code", "message", "innerError"}} ("Microsoft Graph error
// responses and resource types").
type problem struct {
	status        int
	code, message string
}

// The problems. Codes and the two texts in quotation are Graph's own.
var (
	errUnauthenticated = &problem{http.StatusUnauthorized, "InvalidAuthenticationToken", "Access token is empty or not one of this sandbox: take one from the tokens of the ready file."}
	errDenied          = &problem{http.StatusForbidden, "Authorization_RequestDenied", "Insufficient privileges to complete the operation."}
	errOwnAccount      = &problem{http.StatusForbidden, "accessDenied", "A password reset is not allowed on one's own account. Change it instead."}
	errSegment         = &problem{http.StatusNotFound, "ResourceNotFound", "Resource not found for the segment: this sandbox serves users, their password method and its operations."}
	errMethod          = &problem{http.StatusMethodNotAllowed, "Request_BadRequest", "Specified HTTP method is not allowed for the request target."}
	errUser            = &problem{http.StatusNotFound, "Request_ResourceNotFound", "Resource does not exist: no user of this id or user principal name."}
	errOperation       = &problem{http.StatusNotFound, "resourceNotFound", "No operation of this id on this user."}
	errPasswordMethod  = &problem{http.StatusNotFound, "resourceNotFound", "No such method: a password's is " + PasswordMethodID + "."}
	errBadBody         = &problem{http.StatusBadRequest, "Request_BadRequest", "The body must be one JSON object with no other properties than the documented ones."}
	errMediaType       = &problem{http.StatusUnsupportedMediaType, "Request_BadRequest", "The Content-Type must be application/json."}
	errTooLarge        = &problem{http.StatusRequestEntityTooLarge, "Request_BadRequest", "The body is larger than 64 KiB."}
	errQuery           = &problem{http.StatusBadRequest, "Request_UnsupportedQuery", "Of the query options this sandbox knows $select alone."}
	errInternal        = &problem{http.StatusInternalServerError, "generalException", "The sandbox could not draw an id."}
	errNoPassword      = &problem{http.StatusBadRequest, "Request_BadRequest", "newPassword is required for a user whose password is managed on-premises, and in this sandbox for every user."}
)

func (c *call) fail(p *problem) {
	if p.status == http.StatusUnauthorized {
		c.w.Header().Set("WWW-Authenticate", `Bearer realm="", authorization_uri="", client_id=""`)
	}
	type inner struct {
		Date            string `json:"date"`
		RequestID       string `json:"request-id"`
		ClientRequestID string `json:"client-request-id,omitempty"`
	}
	c.answer(p.status, map[string]any{"error": map[string]any{
		"code": p.code, "message": p.message,
		"innerError": inner{
			clock.Real().Now().UTC().Format("2006-01-02T15:04:05"),
			c.w.Header().Get("request-id"), c.w.Header().Get("client-request-id"),
		},
	}})
}
