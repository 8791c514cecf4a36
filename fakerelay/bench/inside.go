package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"time"

	goamqp "github.com/Azure/go-amqp"

	"passback/clock"
	"passback/fakerelay"
)

// What is measured of fakerelay inside of a program that imports it, without peers: how soon it serves, and what a
// backlog costs.
const (
	starts = 30 // namespaces that are made one after another

	batchFormat = 0x80013700 // Service Bus: each data section is a whole message
	batchSize   = 200        // messages in a batch: about 210 KB

	receives = 3000 // at each backlog
	rounds   = 5    // in which each backlog has its turn
)

var backlogs = []int{0, 100_000, 1_000_000} // messages of 1 KB

// inside runs those whose names contain only, and prints what they find.
func inside(ctx context.Context, out io.Writer, only string) error {
	for _, m := range []struct {
		name string
		run  func(context.Context, io.Writer) error
	}{{"start to first message", start}, {"backlog", backlog}} {
		if !strings.Contains(m.name, only) {
			continue
		}
		if err := m.run(ctx, out); err != nil {
			return fmt.Errorf("%s: %w", m.name, err)
		}
	}
	return nil
}

// start measures from New until a client has the first message that another link of it sent.
func start(ctx context.Context, out io.Writer) error {
	took := make([]time.Duration, starts)
	for i := range took {
		began := clock.Real().Now()
		n, b, err := namespace()
		if err != nil {
			return err
		}
		p, err := join(ctx, b, oneWay, oneWay, false)
		if err == nil {
			_, err = p.pass(ctx)
			took[i] = clock.Real().Now().Sub(began)
			err = errors.Join(err, p.conn.Close())
		}
		if err = errors.Join(err, n.Close()); err != nil {
			return err
		}
	}
	slices.Sort(took)
	_, err := fmt.Fprintf(out, "from New to the first message delivered: %.1f ms (median of %d, %.1f to %.1f)\n",
		milliseconds(took[starts/2]), starts, milliseconds(took[0]), milliseconds(took[starts-1]))
	return err //nolint:wrapcheck // says enough
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

// namespace is one in this process, seen as a broker.
func namespace() (*fakerelay.Namespace, *broker, error) {
	k := fakerelay.Key{Name: "bench", Secret: fakerelay.NewSecret(), Rights: fakerelay.Manage | fakerelay.Send | fakerelay.Listen}
	const roomy = 4096 // MB: a million messages of 1 KB fit
	n, err := fakerelay.New(fakerelay.Options{Keys: []fakerelay.Key{k}, Queues: []fakerelay.QueueOptions{{Name: oneWay, MaxSize: roomy << 20}}})
	if err != nil {
		return nil, nil, fmt.Errorf("start a namespace: %w", err)
	}
	return n, &broker{name: nameRelay, url: "amqp://" + n.AMQPAddr(), sasl: goamqp.SASLTypePlain(k.Name, k.Secret)}, nil
}

// pass sends a message and takes the oldest one.
func (p *party) pass(ctx context.Context) (*goamqp.Message, error) {
	m := message(uint64(0))
	m.Properties.MessageID = uint64(1)
	if err := p.out.Send(ctx, m, nil); err != nil {
		return nil, fmt.Errorf("send: %w", err)
	}
	m, err := p.in.Receive(ctx, nil)
	if err == nil {
		err = p.in.AcceptMessage(ctx, m)
	}
	if err != nil {
		return nil, fmt.Errorf("receive: %w", err)
	}
	return m, nil
}

// backlog fills queues, weighs the fullest, and receives from all of them in turns.
func backlog(ctx context.Context, out io.Writer) (err error) {
	parties := make([]*party, len(backlogs))
	for i, count := range backlogs {
		before := liveHeap()
		n, b, err := namespace()
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, n.Close()) }()
		encoded, err := fill(ctx, b, count)
		if err != nil {
			return err
		}
		if count > 0 {
			held := liveHeap() - before
			fmt.Fprintf(out, "%d messages of 1 KB queued: live heap %.0f MB, %.2f times their encoded size\n", count, float64(held)/1e6, float64(held)/float64(encoded))
		}
		if parties[i], err = join(ctx, b, oneWay, oneWay, false); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, parties[i].conn.Close()) }()
	}
	costs := make([][]float64, len(backlogs))
	for range rounds {
		for i, p := range parties {
			used, err := receiveSome(ctx, p)
			if err != nil {
				return err
			}
			costs[i] = append(costs[i], used)
		}
	}
	for i, count := range backlogs {
		ratios := make([]float64, rounds)
		for r := range ratios {
			ratios[r] = costs[i][r] / costs[0][r]
		}
		fmt.Fprintf(out, "send, receive and complete before a backlog of %d: %.0f µs of CPU, client and broker, %.2f times what it costs before none\n",
			count, median(costs[i]), median(ratios))
	}
	return nil
}

// receiveSome returns the CPU of each receive, in microseconds, with the send that keeps the backlog as it is.
func receiveSome(ctx context.Context, p *party) (float64, error) {
	before, err := ownCPUTime()
	if err != nil {
		return 0, err
	}
	for range receives {
		if _, err := p.pass(ctx); err != nil {
			return 0, err
		}
	}
	after, err := ownCPUTime()
	return float64((after - before).Microseconds()) / receives, err
}

// fill queues messages, in batches, and returns how long they are in all.
func fill(ctx context.Context, b *broker, count int) (encoded int64, err error) {
	p, err := join(ctx, b, oneWay, "", false)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, p.conn.Close()) }()
	for sent := 0; sent < count; sent += batchSize {
		batch := &goamqp.Message{Format: batchFormat}
		for i := range batchSize {
			m := message(uint64(0))
			m.Properties.MessageID = uint64(sent + i)
			data, err := m.MarshalBinary()
			if err != nil {
				return 0, fmt.Errorf("encode a message: %w", err)
			}
			batch.Data = append(batch.Data, bytes.Clone(data))
			encoded += int64(len(data))
		}
		if err := p.out.Send(ctx, batch, nil); err != nil {
			return 0, fmt.Errorf("send a batch: %w", err)
		}
	}
	return encoded, nil
}

// liveHeap is what two collections leave.
func liveHeap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
