package fakerelay_test

import (
	"encoding/binary"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"passback/fakerelay"
	"passback/fakerelay/amqp"
)

// These tests send bytes of their own making, whole conversations at once.

// peerKey lets a recorded conversation in again.
var peerKey = fakerelay.Key{Name: "peer", Secret: "known to the recording", Rights: fakerelay.Manage}

// frame is one of a type (0 AMQP, 1 SASL) that holds a described list.
func frame(t testing.TB, kind byte, code uint64, fields ...any) []byte {
	t.Helper()
	body, err := amqp.Marshal(amqp.Described{Descriptor: code, Value: amqp.List(fields)})
	if err != nil {
		t.Fatal(err)
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(8+len(body)))
	return append(append(b, 2, kind, 0, 0), body...)
}

const (
	saslHeader = "AMQP\x03\x01\x00\x00"
	amqpHeader = "AMQP\x00\x01\x00\x00"
)

// hello is a conversation up to the first session.
func hello(t testing.TB) []byte {
	return slices.Concat(
		[]byte(saslHeader), frame(t, 1, 0x41, amqp.Symbol("PLAIN"), []byte("\x00"+peerKey.Name+"\x00"+peerKey.Secret)),
		[]byte(amqpHeader), frame(t, 0, 0x10, "peer"), frame(t, 0, 0x11, nil, uint32(0), uint32(100), uint32(100)),
	)
}

// tell sends bytes, ends its own direction, and gives what the namespace said until it ended the connection.
func tell(t testing.TB, n *fakerelay.Namespace, bytes []byte) []byte {
	t.Helper()
	nc, err := net.Dial("tcp", n.AMQPAddr())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if err := nc.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	_, _ = nc.Write(bytes) // the namespace may have had enough in between
	_ = nc.(*net.TCPConn).CloseWrite()
	said, err := io.ReadAll(nc)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("the namespace keeps a connection that says nothing any more, after %d bytes", len(said))
	}
	return said
}

// A dialogue is a conversation in which the peer waits for what it is told.
type dialogue struct {
	t     *testing.T
	nc    net.Conn
	heard strings.Builder
}

func speak(t *testing.T, n *fakerelay.Namespace) *dialogue {
	t.Helper()
	nc, err := net.Dial("tcp", n.AMQPAddr())
	must(t, err)
	t.Cleanup(func() { nc.Close() })
	must(t, nc.SetDeadline(time.Now().Add(patience)))
	return &dialogue{t: t, nc: nc}
}

// say sends bytes and waits until the namespace has said all that is wanted.
func (d *dialogue) say(bytes []byte, wanted ...string) {
	d.t.Helper()
	_, err := d.nc.Write(bytes)
	must(d.t, err)
	part := make([]byte, 1024)
	for slices.ContainsFunc(wanted, func(want string) bool { return !strings.Contains(d.heard.String(), want) }) {
		count, err := d.nc.Read(part)
		d.heard.Write(part[:count])
		if err != nil {
			d.t.Fatalf("%v; %q are not all in %q", err, wanted, d.heard.String())
		}
	}
}

// A coordinator (AMQP 1.0 part 4) is refused with the service's words; what it would coordinate is refused too.
func TestTransactionsAreRefused(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{peerKey}})
	coordinator := amqp.Described{Descriptor: uint64(0x30), Value: amqp.List{amqp.ArrayOf(amqp.Symbol("amqp:local-transactions"))}}
	source := amqp.Described{Descriptor: uint64(0x28), Value: amqp.List{}}
	attach := frame(t, 0, 0x12, "transactions", uint32(0), false, nil, nil, source, coordinator, nil, nil, uint32(0))
	refusal := []string{"amqp:not-allowed", "Transaction is unsupported because the namespace localhost is of 'Basic' tier."}
	speak(t, n).say(append(hello(t), attach...), refusal...)
	target := amqp.Described{Descriptor: uint64(0x29), Value: amqp.List{fakerelay.DefaultQueue}}
	attach = frame(t, 0, 0x12, "sender", uint32(0), false, nil, nil, source, target, nil, nil, uint32(0))
	const flow = "\x00S\x13" // its descriptor
	inTransaction := amqp.Described{Descriptor: uint64(0x34), Value: amqp.List{[]byte("txn")}}
	transfer := frame(t, 0, 0x14, uint32(0), uint32(0), []byte("tag"), uint32(0), false, false, nil, inTransaction)
	d := speak(t, n)
	d.say(append(hello(t), attach...), flow)
	d.say(transfer, refusal...)
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	if q.Count() != 0 {
		t.Error("a transfer within a transaction was stored")
	}
}

// recording keeps what a client writes.
type recording struct {
	net.Conn
	mu    sync.Mutex
	bytes []byte
}

func (r *recording) Write(b []byte) (int, error) {
	r.mu.Lock()
	r.bytes = append(r.bytes, b...)
	r.mu.Unlock()
	return r.Conn.Write(b)
}

// conversation records a client that sends, receives, settles, asks $management, takes a session and goes.
func conversation(t testing.TB, n *fakerelay.Namespace) []byte {
	t.Helper()
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx := t.Context()
	nc, err := net.Dial("tcp", n.AMQPAddr())
	check(err)
	tape := &recording{Conn: nc}
	conn, err := goamqp.NewConn(ctx, tape, &goamqp.ConnOptions{SASLType: goamqp.SASLTypePlain(peerKey.Name, peerKey.Secret)})
	check(err)
	session, err := conn.NewSession(ctx, nil)
	check(err)
	sender, err := session.NewSender(ctx, fakerelay.DefaultQueue, nil)
	check(err)
	check(sender.Send(ctx, goamqp.NewMessage([]byte("m")), nil))
	receiver, err := session.NewReceiver(ctx, fakerelay.DefaultQueue, &goamqp.ReceiverOptions{SettlementMode: goamqp.ReceiverSettleModeSecond.Ptr(), Credit: 10})
	check(err)
	m, err := receiver.Receive(ctx, nil)
	check(err)
	check(receiver.AcceptMessage(ctx, m))
	ask, err := session.NewSender(ctx, fakerelay.DefaultQueue+"/$management", nil)
	check(err)
	_, err = session.NewReceiver(ctx, fakerelay.DefaultQueue+"/$management", nil)
	check(err)
	check(ask.Send(ctx, &goamqp.Message{
		ApplicationProperties: map[string]any{"operation": "com.microsoft:peek-message"},
		Value:                 map[string]any{"from-sequence-number": int64(0), "message-count": int32(1)},
	}, nil))
	_, err = session.NewReceiver(ctx, "sessions", acceptSession("s"))
	check(err)
	check(conn.Close())
	tape.mu.Lock()
	defer tape.mu.Unlock()
	return tape.bytes
}

// fuzzed is a namespace that strangers speak to, with what it had before they came.
type fuzzed struct {
	*fakerelay.Namespace
	goroutines int
	heap       uint64
}

func newFuzzed(t testing.TB) *fuzzed {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{peerKey}, Queues: []fakerelay.QueueOptions{
		{Name: fakerelay.DefaultQueue, MaxSize: 1 << 20}, {Name: "sessions", RequiresSession: true, MaxSize: 1 << 20},
	}})
	conversation(t, n)
	return &fuzzed{Namespace: n, goroutines: runtime.NumGoroutine(), heap: heapInUse()}
}

func heapInUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// survived checks that nothing is left of those who went but what they may have stored, and that others are served.
func (f *fuzzed) survived(t testing.TB) {
	t.Helper()
	end := time.Now().Add(patience)
	for runtime.NumGoroutine() > f.goroutines+5 {
		if time.Now().After(end) {
			all := make([]byte, 1<<20)
			t.Fatalf("%d goroutines, %d before:\n%s", runtime.NumGoroutine(), f.goroutines, all[:runtime.Stack(all, true)])
		}
		time.Sleep(time.Millisecond)
	}
	const stored = 2 * (1 << 20) * 3                                        // two queues with their dead letters
	for now := heapInUse(); now > f.heap+stored+16<<20; now = heapInUse() { // a timer may hold a connection that has closed for a second
		if time.Now().After(end) {
			t.Fatalf("the heap has grown from %d to %d bytes", f.heap, now)
		}
		time.Sleep(50 * time.Millisecond)
	}
	conversation(t, f.Namespace)
}

// mutated is a conversation with a few bytes changed, cut out, repeated or swapped with others.
func mutated(r *rand.Rand, bytes []byte) []byte {
	b := slices.Clone(bytes)
	for range 1 + r.IntN(4) {
		i, j := r.IntN(len(b)), r.IntN(len(b))
		i, j = min(i, j), max(i, j)
		switch r.IntN(6) {
		case 0:
			b[i] ^= 1 << r.IntN(8)
		case 1:
			b[i] = byte(r.IntN(256))
		case 2:
			b = slices.Insert(b, j, b[i:min(j, i+100)]...)
		case 3:
			b = slices.Delete(b, i, min(j, i+20))
		case 4:
			b = b[:max(j, 40)]
		case 5:
			binary.BigEndian.PutUint32(b[min(i, len(b)-4):], r.Uint32())
		}
	}
	return b
}

// Whatever a peer that has been let in sends, it costs the namespace no goroutine, no memory and no other client.
func TestServerSurvivesMutatedConversations(t *testing.T) {
	f := newFuzzed(t)
	tape := conversation(t, f.Namespace)
	r := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		tell(t, f.Namespace, mutated(r, tape))
	}
	f.survived(t)
}

func FuzzServer(f *testing.F) {
	target := newFuzzed(f)
	tape := conversation(f, target.Namespace)
	f.Add(tape)
	f.Add(hello(f))
	r := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		f.Add(mutated(r, tape))
	}
	count := 0
	f.Fuzz(func(t *testing.T, bytes []byte) {
		tell(t, target.Namespace, bytes)
		switch count++; {
		case count == 1000:
			target.heap = heapInUse() // with the 100 MB that the fuzzing takes for itself
		case count%1000 == 0:
			target.survived(t)
		}
	})
}
