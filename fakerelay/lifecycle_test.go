package fakerelay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

func TestCloseWithClientsConnected(t *testing.T) {
	before := runtime.NumGoroutine()
	for name, dial := range transports {
		t.Run(name, func(t *testing.T) {
			n, err := fakerelay.New(fakerelay.Options{})
			must(t, err)
			c := dial(t, n)
			send(t, newSender(t, c, fakerelay.DefaultQueue), body("m"))
			r := newReceiver(t, c, fakerelay.DefaultQueue, nil)
			receive(t, r)
			ctx, cancel := context.WithCancel(context.Background())
			waiting := make(chan struct{})
			go func() {
				_, _ = r.ReceiveMessages(ctx, 1, nil)
				close(waiting)
			}()
			closed := make(chan error, 1)
			go func() { closed <- n.Close() }()
			select {
			case err := <-closed:
				must(t, err)
			case <-time.After(patience):
				t.Fatal("Close waits for its clients")
			}
			must(t, n.Close())
			cancel()
			<-waiting
			must(t, c.Close(context.Background()))
		})
	}
	http.DefaultClient.CloseIdleConnections()
	eventually(t, "the end of all goroutines", func() bool { return runtime.NumGoroutine() <= before+2 })
}

func TestDeletedQueueIsNotFoundAnyMore(t *testing.T) {
	n := fakerelay.RunT(t)
	c := client(t, n.ConnectionString(), nil)
	r := newReceiver(t, c, fakerelay.DefaultQueue, nil)
	sender := newSender(t, c, fakerelay.DefaultQueue)
	send(t, sender, body("m"))
	must(t, r.CompleteMessage(within(t), receive(t, r), nil))
	must(t, n.DeleteQueue(fakerelay.DefaultQueue))
	_, err := tryReceive(within(t), r)
	hasCode(t, err, azservicebus.CodeNotFound)
	hasCode(t, sender.SendMessage(within(t), body("m"), nil), azservicebus.CodeNotFound)
	if err := n.DeleteQueue(fakerelay.DefaultQueue); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("deleting it again: %v", err)
	}
	must(t, n.CreateQueue(fakerelay.QueueOptions{Name: fakerelay.DefaultQueue}))
	send(t, newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue), body("m"))
}

func TestPortInUseIsNamed(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	_, err = fakerelay.New(fakerelay.Options{AMQPSPort: l.Addr().(*net.TCPAddr).Port})
	if err == nil || !strings.Contains(err.Error(), "AMQPS") || !strings.Contains(err.Error(), l.Addr().String()) {
		t.Errorf("got %v, want the port's name and address", err)
	}
}

func TestFurtherListener(t *testing.T) {
	n := fakerelay.RunT(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	served := make(chan error, 1)
	go func() { served <- n.Serve(l) }()
	send(t, newSender(t, client(t, strings.Replace(n.ConnectionString(), n.AMQPAddr(), l.Addr().String(), 1), nil), fakerelay.DefaultQueue), body("m"))
	must(t, n.Close())
	must(t, <-served)
}

func TestHTTPIsRefusedAsTheServiceDoes(t *testing.T) {
	n := fakerelay.RunT(t)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}
	defer transport.CloseIdleConnections()
	for _, test := range []struct {
		addr, token string
		status      int
		text        string
	}{
		{n.HTTPSAddr(), "", http.StatusUnauthorized, "<Error><Code>401</Code><Detail>MissingToken: The request contains no authorization header. TrackingId:"},
		{n.AMQPSAddr(), "", http.StatusUnauthorized, "MissingToken"},
		{n.HTTPSAddr(), "SharedAccessSignature x", http.StatusUnauthorized, "MalformedToken"},
	} {
		request, err := http.NewRequestWithContext(within(t), http.MethodGet, "https://"+test.addr+"/queue.1?api-version=2024-05", nil)
		must(t, err)
		if test.token != "" {
			request.Header.Set("Authorization", test.token)
		}
		response, err := transport.RoundTrip(request)
		must(t, err)
		text, err := io.ReadAll(response.Body)
		must(t, err)
		response.Body.Close()
		if response.StatusCode != test.status || !strings.Contains(string(text), test.text) {
			t.Errorf("%s answered %d %s", test.addr, response.StatusCode, text)
		}
	}
}

// Whatever comes first on a port ends that connection and nothing else.
func TestGarbageEndsItsConnectionOnly(t *testing.T) {
	n := fakerelay.RunT(t)
	t.Run("garbage", func(t *testing.T) {
		for _, garbage := range []string{"GET / HTTP/1.1\r\n\r\n", "AMQP\x00\x00\x09\x01", "\x16\x03\x01\x00\x05hello", "\x00\x00\x00\x00\x00\x00\x00\x00"} {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				nc, err := net.Dial("tcp", n.AMQPAddr())
				must(t, err)
				defer nc.Close()
				_, err = nc.Write([]byte(garbage))
				must(t, err)
				must(t, nc.SetReadDeadline(time.Now().Add(patience)))
				if _, err := io.Copy(io.Discard, nc); errors.Is(err, os.ErrDeadlineExceeded) {
					t.Errorf("%q was not ended", garbage)
				}
			})
		}
	})
	send(t, newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue), body("m"))
}
