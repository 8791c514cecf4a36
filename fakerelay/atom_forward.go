package fakerelay

// Forwarding as a description asks for it. Who sets it must be allowed to send there: by the token of the request, or
// by a second one in a header, as azservicebus adds.

import (
	"fmt"
	"net/http"
	"strings"
)

const (
	headerForward            = "ServiceBusSupplementaryAuthorization"
	headerForwardDeadLetters = "ServiceBusDlqSupplementaryAuthorization"
)

// readForward takes a URL or a path, and gives the path.
func (c *atomCall) readForward(target *string, header string) (string, error) {
	text := strings.TrimSpace(given(target))
	if text == "" {
		return "", nil
	}
	path, err := audiencePath(text)
	if err != nil || path == "" {
		return "", badRequest(fmt.Sprintf("'%s' is not the URL of an entity", text))
	}
	granted := c.granted
	if token := c.r.Header.Get(header); token != "" {
		if granted, err = c.ns.verifyHTTP(token, path); err != nil {
			return "", &atomError{http.StatusUnauthorized, err.Error()}
		}
	}
	if !granted.rights.Has(Send) || !granted.reaches(&c.ns.keys, path) {
		return "", &atomError{http.StatusUnauthorized, fmt.Sprintf(textNeedsForward, path)}
	}
	return path, nil
}

// reaches reports whether the key of a grant is one of the path, or of what is above it.
func (g grant) reaches(keys *keyring, path string) bool {
	return g.signer == nil || keys.current(path, g.signer)
}

// forwardURL shows where to: as it was given, or by the name that the client uses for this namespace.
func (c *atomCall) forwardURL(path, asGiven string) *string {
	switch {
	case path == "":
		return nil
	case asGiven != "":
		return &asGiven
	}
	return new("sb://" + c.r.Host + "/" + path)
}
