package fakerelay

// The management API over HTTP ("Service Bus REST API", entities; read from azservicebus internal/atom): Atom entries
// and feeds on the TLS ports, for the stock administration clients. This file has requests, authority and refusals;
// what is asked for is in atom_*.go, one file for each kind of entity. Left out on purpose: $filter and $orderby of
// lists, API versions before 2017-04 (the version is not looked at), and the order of elements in a body.

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"passback/fakerelay/broker"
)

const (
	maxManagementBody = 1 << 20 // bytes; our own bound

	typeEntry = "application/atom+xml;type=entry;charset=utf-8"
	typeFeed  = "application/atom+xml;type=feed;charset=utf-8"
)

// What is refused, and why. The tracking part follows.
const (
	textMissingToken   = "MissingToken: The request contains no authorization header."
	textNeedsRead      = "Manage,EntityRead claims required for this operation."
	textNeedsWrite     = "Authorization failed for specified action: Manage,EntityWrite."
	textNeedsDelete    = "Authorization failed for specified action: Manage,EntityDelete."
	textNeedsForward   = "Authorization failed for specified action: Manage,EntityWrite. The supplementary token does not allow to send to '%s'."
	textSubCode        = "401 SubCode=40100: Unauthorized : Unauthorized access for '%s' operation on endpoint 'sb://%s/%s'."
	textConflict       = "SubCode=40900. Conflict. The entity '%s' exists already. To know more visit https://aka.ms/sbResourceMgrExceptions. ."
	textNoEntity       = "SubCode=40400. Not Found. The Operation doesn't exist. To know more visit https://aka.ms/sbResourceMgrExceptions. ."
	textBadRequest     = "SubCode=40000. %s. To know more visit https://aka.ms/sbResourceMgrExceptions. ."
	textForbidden      = "SubCode=40300. %v."
	textBadMethod      = "SubCode=40500. The method %s is not allowed here."
	textBodyTooLarge   = "SubCode=41300. The request body has more than %d bytes."
	textImmutable      = "The value for the %s property of an existing %s cannot be changed"
	textPartitioning   = "Partitioning cannot be changed for %s. "
	textNoDescription  = "The request body must be an Atom entry whose content is a %s"
	textNotXML         = "The request body is not what the operation takes: %v"
	textEmptyFeedTitle = "Publicly Listed Services"
)

// An atomError refuses a request.
type atomError struct {
	status int
	text   string
}

func (e *atomError) Error() string { return e.text }

func badRequest(text string) *atomError {
	return &atomError{http.StatusBadRequest, fmt.Sprintf(textBadRequest, text)}
}

// An atomCall is one request.
type atomCall struct {
	ns      *Namespace
	r       *http.Request
	at      atomPath
	granted grant
}

// An atomAnswer is an entry or a feed; none for a deletion.
type atomAnswer struct {
	status int
	entry  *atomEntry
	feed   *atomFeed
}

// manage answers a request of the management API.
func (n *Namespace) manage(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxManagementBody)
	answer, err := n.managed(w, r)
	if errors.Is(err, http.ErrAbortHandler) { // a hook's: the client gets no answer
		panic(http.ErrAbortHandler)
	}
	if err != nil {
		refused := atomRefusal(err)
		n.log.Debug("management request refused", "method", r.Method, "path", r.URL.Path, "status", refused.status, "why", refused.text)
		refuseHTTP(w, r, refused.status, refused.text)
		return
	}
	var body any
	switch {
	case answer.entry != nil:
		w.Header().Set("Content-Type", typeEntry)
		body = answer.entry
	case answer.feed != nil:
		w.Header().Set("Content-Type", typeFeed)
		body = answer.feed
	}
	w.WriteHeader(answer.status)
	if body == nil {
		return
	}
	if err := xml.NewEncoder(w).Encode(body); err != nil {
		n.log.Debug("management answer not sent", "err", err)
	}
}

// atomRefusal finds status and words for an error of a handler or of the broker.
func atomRefusal(err error) *atomError {
	var refused *atomError
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &large):
		return &atomError{http.StatusRequestEntityTooLarge, fmt.Sprintf(textBodyTooLarge, large.Limit)}
	case errors.Is(err, broker.ErrNotFound), errors.Is(err, broker.ErrDeleted):
		return &atomError{http.StatusNotFound, textNoEntity}
	case errors.Is(err, broker.ErrQuota):
		return &atomError{http.StatusForbidden, fmt.Sprintf(textForbidden, err)}
	}
	return badRequest(err.Error())
}

// managed verifies the token, and has the request done by who knows its path, unless a hook says otherwise.
func (n *Namespace) managed(w http.ResponseWriter, r *http.Request) (atomAnswer, error) {
	token := r.Header.Get("Authorization")
	if token == "" {
		return atomAnswer{}, &atomError{http.StatusUnauthorized, textMissingToken}
	}
	at := parseAtomPath(r.URL.Path)
	granted, err := n.verifyHTTP(token, at.String())
	if err != nil {
		return atomAnswer{}, &atomError{http.StatusUnauthorized, err.Error()}
	}
	c := &atomCall{ns: n, r: r, at: at, granted: granted}
	run, offered := atomOperations[at.kind][r.Method]
	if !offered {
		return atomAnswer{}, &atomError{http.StatusMethodNotAllowed, fmt.Sprintf(textBadMethod, r.Method)}
	}
	if err := c.consult(w, false); err != nil {
		return atomAnswer{}, err
	}
	answer, err := run(c)
	if err == nil {
		err = c.consult(w, true)
	}
	return answer, err
}

type atomOperation func(*atomCall) (atomAnswer, error)

// atomOperations are what each kind of path can be asked for, by method.
var atomOperations = map[atomKind]map[string]atomOperation{
	atomNamespace: {http.MethodGet: (*atomCall).namespace},
	atomQueues:    {http.MethodGet: (*atomCall).listQueues},
	atomTopics:    {http.MethodGet: (*atomCall).listTopics},
	atomEntity: {
		http.MethodGet: (*atomCall).getEntity, http.MethodPut: (*atomCall).putEntity, http.MethodDelete: (*atomCall).deleteEntity,
	},
	atomSubscriptions: {http.MethodGet: (*atomCall).listSubscriptions},
	atomSubscription: {
		http.MethodGet: (*atomCall).getSubscription, http.MethodPut: (*atomCall).putSubscription,
		http.MethodDelete: (*atomCall).deleteSubscription,
	},
	atomRules: {http.MethodGet: (*atomCall).listRules, http.MethodPut: (*atomCall).putRule}, // of a rule without a name
	atomRule: {
		http.MethodGet: (*atomCall).getRule, http.MethodPut: (*atomCall).putRule, http.MethodDelete: (*atomCall).deleteRule,
	},
}

// atomMethods are those of atomOperations.
var atomMethods = []string{http.MethodGet, http.MethodPut, http.MethodDelete}

// verifyHTTP takes a shared access signature, or a JSON web token as it is: without "Bearer", which is ignored.
func (n *Namespace) verifyHTTP(token, path string) (grant, error) {
	if strings.HasPrefix(token, sasPrefix) {
		return n.keys.verifySAS(token, path)
	}
	return verifyJWT(strings.TrimPrefix(token, "Bearer "), path)
}

// manages refuses who does not hold the Manage right.
func (c *atomCall) manages(text string) error {
	if !c.granted.rights.Has(Manage) {
		return &atomError{http.StatusUnauthorized, text}
	}
	return nil
}
