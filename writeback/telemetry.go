package writeback

// Traces and metrics by OpenTelemetry, pushed over OTLP/HTTP (opentelemetry-proto, otlphttp) where agent.yaml names a
// collector; nothing listens. A request's trace has the 16 bytes of its tracking id as its trace id, so that whoever
// knows the one finds the other. Left out on purpose: logs, which have a way of their own; the SDK's OTEL_ variables for
// the endpoint; names and anchors of users, which are in the log alone.

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/metric"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	tracenoop "go.opentelemetry.io/otel/trace/noop"

	"passback/writeback/protocol"
)

const (
	instrumentation = "passback/writeback"
	pushTimeout     = 5 * time.Second
	lastPush        = 500 * time.Millisecond // of what is left when the agent stops
)

// telemetry is where spans and measurements go: nowhere, unless newTelemetry was given a collector. Nothing is made for
// nobody then.
type telemetry struct {
	tracer   trace.Tracer
	requests metric.Int64Counter
	duration metric.Float64Histogram
	beats    metric.Int64Counter
	close    func() // pushes what is left
}

// validateOTLP holds the collector to what a firewall lets out: 443, with TLS; a loopback one may be anywhere.
func (c *Config) validateOTLP() error {
	if c.OTLP == "" {
		return nil
	}
	const want = "https://host, port 443, without a path or a password (a loopback address may have another port, and http), or nothing"
	u, err := url.Parse(c.OTLP)
	if err != nil || u.Host == "" || u.User != nil || u.Path != "" && u.Path != "/" || u.RawQuery != "" {
		return badValue("otlp", withoutUser(c.OTLP), want)
	}
	ip := net.ParseIP(u.Hostname())
	loopback := u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
	secure := u.Scheme == "https" && (u.Port() == "" || u.Port() == "443")
	if !secure && (!loopback || u.Scheme != "http" && u.Scheme != "https") {
		return badValue("otlp", c.OTLP, want)
	}
	return nil
}

// newTelemetry pushes as the agent of this id to the configured collector, by the same proxy and authorities as to the
// cloud.
func newTelemetry(c Config, agentID string, client *http.Client, log *slog.Logger) (telemetry, error) {
	if c.OTLP == "" {
		return telemetry{close: func() {}}, nil
	}
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { log.Warn("traces or metrics could not be pushed", "otlp", c.OTLP, "error", err) }))
	ctx := context.Background()
	base, err := url.Parse(c.OTLP)
	if err != nil {
		return telemetry{}, fmt.Errorf("otlp: %w", err)
	}
	spans, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(base.JoinPath("v1/traces").String()),
		otlptracehttp.WithHTTPClient(client), otlptracehttp.WithTimeout(pushTimeout))
	if err != nil {
		return telemetry{}, fmt.Errorf("otlp: %w", err)
	}
	measurements, err := otlpmetrichttp.New(ctx, otlpmetrichttp.WithEndpointURL(base.JoinPath("v1/metrics").String()),
		otlpmetrichttp.WithHTTPClient(client), otlpmetrichttp.WithTimeout(pushTimeout))
	if err != nil {
		return telemetry{}, fmt.Errorf("otlp: %w", err)
	}
	is := resource.NewSchemaless(attribute.String("service.name", "passback-agent"),
		attribute.String("service.version", version()), attribute.String("service.instance.id", agentID))
	traces := sdktrace.NewTracerProvider(sdktrace.WithBatcher(spans), sdktrace.WithResource(is), sdktrace.WithIDGenerator(trackingIDs{}),
		sdktrace.WithSampler(sdktrace.AlwaysSample()))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(sdkmetric.NewPeriodicReader(measurements)), sdkmetric.WithResource(is))
	t, err := instruments(traces, meters)
	t.close = func() {
		ctx, cancel := context.WithTimeout(context.Background(), lastPush)
		defer cancel()
		_ = errors.Join(traces.Shutdown(ctx), meters.Shutdown(ctx)) // a collector that is not there loses what is left
	}
	return t, err
}

func instruments(traces trace.TracerProvider, meters metric.MeterProvider) (telemetry, error) {
	meter := meters.Meter(instrumentation)
	requests, err1 := meter.Int64Counter("passback.requests", metric.WithUnit("{request}"), metric.WithDescription("Requests decided, by operation and outcome."))
	duration, err2 := meter.Float64Histogram("passback.request.duration", metric.WithUnit("s"), metric.WithDescription("From the relay's delivery until the request was settled."))
	beats, err3 := meter.Int64Counter("passback.heartbeats", metric.WithUnit("{heartbeat}"), metric.WithDescription("Heartbeats that a relay took."))
	return telemetry{traces.Tracer(instrumentation), requests, duration, beats, func() {}}, errors.Join(err1, err2, err3)
}

func (t telemetry) listens() bool { return t.tracer != nil }

// span begins a step of a request.
func (t telemetry) span(ctx context.Context, name string) (context.Context, trace.Span) {
	if !t.listens() {
		return ctx, tracenoop.Span{}
	}
	return t.tracer.Start(ctx, name)
}

// request begins the span of one delivery of a request.
func (t telemetry) request(ctx context.Context, r protocol.Request, count delivery) (context.Context, trace.Span) {
	if !t.listens() {
		return ctx, tracenoop.Span{}
	}
	return t.tracer.Start(context.WithValue(ctx, trackingIDKey{}, r.TrackingID), string(r.Operation),
		trace.WithNewRoot(), trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			attribute.String("passback.tracking_id", string(r.TrackingID)), attribute.String("passback.operation", string(r.Operation)),
			attribute.String("passback.dc", r.DC), attribute.Int("passback.delivery", count.count)))
}

// settled ends that span and counts the request.
func (t telemetry) settled(ctx context.Context, s trace.Span, e journalEntry) {
	if !t.listens() {
		return
	}
	outcome := attribute.String("passback.outcome", string(e.Outcome))
	s.SetAttributes(outcome, attribute.Bool("passback.answered", e.Answered), attribute.Bool("passback.completed", e.Completed))
	s.End()
	as := metric.WithAttributes(outcome, attribute.String("passback.operation", string(e.Operation)))
	t.requests.Add(ctx, 1, as)
	t.duration.Record(ctx, e.Settled.Sub(e.Received).Seconds(), as)
}

// beaten counts a heartbeat that a relay took.
func (t telemetry) beaten(ctx context.Context) {
	if t.listens() {
		t.beats.Add(ctx, 1)
	}
}

type trackingIDKey struct{}

// trackingIDs makes the trace id of a request's span from its tracking id, and others at random.
type trackingIDs struct{}

// NewIDs implements sdktrace.IDGenerator.
func (trackingIDs) NewIDs(ctx context.Context) (id trace.TraceID, span trace.SpanID) {
	if tracked, ok := ctx.Value(trackingIDKey{}).(protocol.TrackingID); ok {
		if raw, err := uuid.Parse(string(tracked)); err == nil {
			return trace.TraceID(raw), newSpanID()
		}
	}
	_, _ = rand.Read(id[:])
	return id, newSpanID()
}

// NewSpanID implements sdktrace.IDGenerator.
func (trackingIDs) NewSpanID(context.Context, trace.TraceID) trace.SpanID { return newSpanID() }

func newSpanID() (id trace.SpanID) {
	_, _ = rand.Read(id[:]) // never fails: it ends the program instead
	return id
}
