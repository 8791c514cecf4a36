package fakerelay

// The managed identity endpoint of App Service ("How to use managed identities for App Service and Azure Functions",
// REST endpoint reference, api-version 2019-08-01): IDENTITY_ENDPOINT is IdentityURL, IDENTITY_HEADER anything. So a
// program's own ManagedIdentityCredential works against this namespace. Left out on purpose: identities. All that are
// asked for (client_id, principal_id, mi_res_id) exist, and are one.

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"golang.org/x/net/netutil"
)

const (
	identityPath    = "/msi/token"
	identityVersion = "2019-08-01"
	identityHeader  = "X-IDENTITY-HEADER"

	maxIdentityConns   = 100
	maxIdentityRequest = 8 << 10 // bytes of its head
	maxResource        = 1 << 10 // bytes, so that the token stays well below maxToken
	identityTimeout    = 10 * time.Second
)

// What a refused request is told; the wording is our own.
const (
	textNoIdentityHeader = "The header " + identityHeader + " is missing: send the value of IDENTITY_HEADER."
	textIdentityVersion  = "The parameter api-version must be " + identityVersion + "."
	textNoResource       = "The parameter resource is missing or too long: send the URI to get a token for, such as " + serviceBusAudience + "."
	textNoIdentityToken  = "An unexpected error occurred while fetching the token."
)

// An identityToken is the endpoint's answer.
type identityToken struct {
	AccessToken string `json:"access_token"`
	ExpiresOn   string `json:"expires_on"` // Unix seconds
	Resource    string `json:"resource"`
	TokenType   string `json:"token_type"`
	ClientID    string `json:"client_id"`
}

// An identityRefusal is its error.
type identityRefusal struct {
	Status        int    `json:"statusCode"`
	Message       string `json:"message"`
	CorrelationID string `json:"correlationId"`
}

// IdentityURL is what a program takes as IDENTITY_ENDPOINT; empty if the port is not opened.
func (n *Namespace) IdentityURL() string {
	if n.identity == "" {
		return ""
	}
	return "http://" + n.identity + identityPath
}

func (n *Namespace) serveIdentity(l net.Listener) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+identityPath, n.giveToken)
	n.identityHTTP = &http.Server{
		Handler:        mux,
		ReadTimeout:    identityTimeout,
		WriteTimeout:   identityTimeout,
		IdleTimeout:    httpIdleTimeout,
		MaxHeaderBytes: maxIdentityRequest,
		ErrorLog:       slog.NewLogLogger(n.log.Handler(), slog.LevelDebug),
	}
	n.wg.Go(func() {
		if err := n.identityHTTP.Serve(netutil.LimitListener(l, maxIdentityConns)); !errors.Is(err, http.ErrServerClosed) {
			n.log.Error("stopped giving identity tokens", "err", err)
		}
	})
}

func (n *Namespace) giveToken(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	resource := query.Get("resource")
	switch {
	case len(r.Header.Values(identityHeader)) == 0:
		n.refuseIdentity(w, http.StatusBadRequest, textNoIdentityHeader)
		return
	case query.Get("api-version") != identityVersion:
		n.refuseIdentity(w, http.StatusBadRequest, textIdentityVersion)
		return
	case resource == "" || len(resource) > maxResource:
		n.refuseIdentity(w, http.StatusBadRequest, textNoResource)
		return
	}
	token, expires, err := signJWT(resource)
	if err != nil {
		n.log.Error("no identity token", "err", err)
		n.refuseIdentity(w, http.StatusInternalServerError, textNoIdentityToken)
		return
	}
	n.answerIdentity(w, http.StatusOK, identityToken{
		AccessToken: token, ExpiresOn: strconv.FormatInt(expires.Unix(), 10), Resource: resource, TokenType: "Bearer", ClientID: tokenClient,
	})
}

func (n *Namespace) refuseIdentity(w http.ResponseWriter, status int, text string) {
	n.answerIdentity(w, status, identityRefusal{status, text, uuid.NewString()})
}

func (n *Namespace) answerIdentity(w http.ResponseWriter, status int, answer any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		n.log.Debug("identity answer not sent", "err", err)
	}
}
