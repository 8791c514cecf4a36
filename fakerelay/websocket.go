package fakerelay

// HTTP on the TLS ports: AMQP over WebSocket (the OASIS "AMQP WebSocket Binding", subprotocol amqp; the older
// SDKs' AMQPWSB10), and refusals in the service's manner. Left for later: the management API.

import (
	"encoding/xml"
	"fmt"
	"net/http"

	"github.com/coder/websocket"

	"passback/clock"
)

const webSocketPath = "/$servicebus/websocket"

// What is answered to other requests. The tracking part follows.
const (
	textMissingToken = "MissingToken: The request contains no authorization header."
	textNotHere      = "NotImplemented: The management API over HTTP is not supported in this version of the namespace."
)

func (n *Namespace) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc(webSocketPath, n.upgrade)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "" {
			refuseHTTP(w, r, http.StatusUnauthorized, textMissingToken)
			return
		}
		refuseHTTP(w, r, http.StatusNotImplemented, textNotHere)
	})
	return mux
}

// refuseHTTP writes the service's error document.
func refuseHTTP(w http.ResponseWriter, r *http.Request, status int, text string) {
	body, err := xml.Marshal(struct {
		XMLName xml.Name `xml:"Error"`
		Code    int      `xml:"Code"`
		Detail  string   `xml:"Detail"`
	}{Code: status, Detail: text + tracking(r.Host+r.URL.Path)})
	if err != nil {
		http.Error(w, http.StatusText(status), status)
		return
	}
	w.Header().Set("Content-Type", "application/xml; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s", body)
}

// upgrade turns the request into an AMQP connection. The upgrade says the date, which clients check their clock
// by. AMQP bounds its frames itself: the read limit is off.
func (n *Namespace) upgrade(w http.ResponseWriter, r *http.Request) {
	if !n.track() {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	defer n.wg.Done()
	w.Header().Set("Date", clock.Real().Now().UTC().Format(http.TimeFormat))
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{"amqp", "AMQPWSB10"}})
	if err != nil {
		n.log.Debug("no WebSocket", "peer", r.RemoteAddr, "err", err)
		return
	}
	ws.SetReadLimit(-1)
	n.serveAMQP(websocket.NetConn(n.ctx, ws, websocket.MessageBinary))
}
