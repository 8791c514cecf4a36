package fakerelay

// AMQP over WebSocket (OASIS "AMQP WebSocket Binding (WSB)", working draft 7): binary messages, subprotocol amqp, and
// AMQPWSB10 as older SDKs call it.

import (
	"net/http"

	"github.com/coder/websocket"

	"passback/clock"
)

const webSocketPath = "/$servicebus/websocket"

var webSocketSubprotocols = []string{"amqp", "AMQPWSB10"}

// upgrade turns the request into an AMQP connection. The upgrade says the date, which clients check their clock
// by. AMQP bounds its frames itself: the read limit is off.
func (n *Namespace) upgrade(w http.ResponseWriter, r *http.Request) {
	if !n.track() {
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return
	}
	defer n.wg.Done()
	w.Header().Set("Date", clock.Real().Now().UTC().Format(http.TimeFormat))
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: webSocketSubprotocols})
	if err != nil {
		n.log.Debug("no WebSocket", "peer", r.RemoteAddr, "err", err)
		return
	}
	ws.SetReadLimit(-1)
	n.serveAMQP(websocket.NetConn(n.ctx, ws, websocket.MessageBinary), nil)
}
