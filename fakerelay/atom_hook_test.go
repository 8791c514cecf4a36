package fakerelay_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/clock"
	"passback/fakerelay"
)

// stubborn is an administrator who asks again, up to three times.
func stubborn(t *testing.T, n *fakerelay.Namespace) *admin.Client {
	t.Helper()
	options := adminOptions(n)
	options.Retry = policy.RetryOptions{RetryDelay: time.Millisecond, MaxRetryDelay: 10 * time.Millisecond}
	a, err := admin.NewClientFromConnectionString(n.TLSConnectionString(), options)
	must(t, err)
	return a
}

func exists(n *fakerelay.Namespace, queue string) bool {
	_, err := n.Queue(queue)
	return err == nil
}

// What the stock SDK makes of a create that goes wrong: it asks again by itself, and where the first had taken effect
// it is told that the queue exists already.
func TestAdministratorCreatesDespiteFaults(t *testing.T) {
	for name, test := range map[string]struct {
		fault  fakerelay.Fault
		status int // that the caller gets; 0: the queue
	}{
		"throttled":                {fakerelay.Fault{Effect: fakerelay.EffectThrottle, Times: 3}, 0},
		"a service error":          {fakerelay.Fault{Effect: fakerelay.EffectRefuse}, 0},
		"unavailable":              {fakerelay.Fault{Effect: fakerelay.EffectRefuse, Status: http.StatusServiceUnavailable, Times: 2}, 0},
		"a request lost":           {fakerelay.Fault{Effect: fakerelay.EffectDisconnect}, 0},
		"an answer lost":           {fakerelay.Fault{Effect: fakerelay.EffectDisconnect, After: true}, http.StatusConflict},
		"done, and told otherwise": {fakerelay.Fault{Effect: fakerelay.EffectRefuse, After: true, Status: http.StatusServiceUnavailable}, http.StatusConflict},
		"throttled too often":      {fakerelay.Fault{Effect: fakerelay.EffectThrottle, Times: 4}, http.StatusTooManyRequests},
	} {
		t.Run(name, func(t *testing.T) {
			n := fakerelay.RunT(t)
			test.fault.Operation, test.fault.Request, test.fault.Entity = fakerelay.Administer, http.MethodPut, "ORDERS"
			struck := strike(t, n, test.fault)
			_, err := stubborn(t, n).CreateQueue(within(t), "orders", nil)
			if got := status(err); got != test.status || got == 0 && err != nil {
				t.Errorf("got %v, want status %d", err, test.status)
			}
			if got, want := len(struck), max(test.fault.Times, 1); got != want {
				t.Errorf("%d requests were struck, want %d", got, want)
			}
			if got, want := exists(n, "orders"), test.status != http.StatusTooManyRequests; got != want {
				t.Errorf("the queue exists: %v, want %v", got, want)
			}
		})
	}
}

func TestAdministratorIsToldWhyAndHowLongToWait(t *testing.T) {
	for name, test := range map[string]struct {
		fault       fakerelay.Fault
		status      int
		text, after string
	}{
		"throttled": {fakerelay.Fault{Effect: fakerelay.EffectThrottle}, http.StatusTooManyRequests,
			"<Code>429</Code><Detail>SubCode=50004. The request was terminated because the namespace localhost is being throttled.", ""},
		"throttled for a while": {fakerelay.Fault{Effect: fakerelay.EffectThrottle, RetryAfter: 1500 * time.Millisecond}, http.StatusTooManyRequests,
			"SubCode=50004", "2"},
		"refused": {fakerelay.Fault{Effect: fakerelay.EffectRefuse}, http.StatusInternalServerError,
			"<Code>500</Code><Detail>SubCode=50000. Internal Server Error.", ""},
		"unavailable": {fakerelay.Fault{Effect: fakerelay.EffectRefuse, Status: http.StatusServiceUnavailable, RetryAfter: time.Minute}, http.StatusServiceUnavailable,
			"SubCode=50300. Service Unavailable.", "60"},
		"in one's own words": {fakerelay.Fault{Effect: fakerelay.EffectRefuse, Status: http.StatusConflict, Description: "SubCode=40901. Another update request is in progress."},
			http.StatusConflict, "<Detail>SubCode=40901. Another update request is in progress. TrackingId:", ""},
	} {
		t.Run(name, func(t *testing.T) {
			n := fakerelay.RunT(t)
			test.fault.Operation = fakerelay.Administer
			strike(t, n, test.fault)
			_, err := administrator(t, n, nil).GetQueue(within(t), fakerelay.DefaultQueue, nil)
			refusedWith(t, err, test.status, test.text)
			var refused *azcore.ResponseError
			if !errors.As(err, &refused) || refused.RawResponse.Header.Get("Retry-After") != test.after {
				t.Errorf("Retry-After is not %q in %v", test.after, err)
			}
		})
	}
}

func TestDelayedRequestHoldsNothingElse(t *testing.T) {
	c := clock.NewRunning()
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Clock: c})
	struck := strike(t, n, fakerelay.Fault{Effect: fakerelay.EffectDelay, Operation: fakerelay.Administer, Delay: time.Hour})
	a := administrator(t, n, nil)
	created := make(chan error, 1)
	go func() {
		_, err := a.CreateQueue(within(t), "late", nil)
		created <- err
	}()
	<-struck
	_, err := a.CreateQueue(within(t), "on-time", nil)
	must(t, err)
	if exists(n, "late") {
		t.Error("the request that is delayed has been done")
	}
	c.Advance(time.Hour)
	must(t, <-created)
	if !exists(n, "late") {
		t.Error("the request that was delayed has not been done")
	}
}

func TestSwallowedRequestIsNeverAnswered(t *testing.T) {
	for name, after := range map[string]bool{"before it takes effect": false, "after it": true} {
		t.Run(name, func(t *testing.T) {
			n := fakerelay.RunT(t)
			struck := strike(t, n, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Operation: fakerelay.Administer, After: after})
			a := administrator(t, n, nil)
			ctx, cancel := context.WithCancel(within(t))
			created := make(chan error, 1)
			go func() {
				_, err := a.CreateQueue(ctx, "orders", nil)
				created <- err
			}()
			<-struck
			cancel()
			if err := <-created; !errors.Is(err, context.Canceled) {
				t.Errorf("the administrator was told %v", err)
			}
			if exists(n, "orders") != after {
				t.Errorf("the queue exists: %v", !after)
			}
		})
	}
}

// A client that waits for ever keeps no namespace from closing.
func TestCloseEndsSwallowedRequests(t *testing.T) {
	n := fakerelay.RunT(t)
	struck := strike(t, n, fakerelay.Fault{Effect: fakerelay.EffectSwallow, Operation: fakerelay.Administer})
	a := administrator(t, n, nil)
	asked := make(chan error, 1)
	go func() {
		_, err := a.GetQueue(within(t), fakerelay.DefaultQueue, nil)
		asked <- err
	}()
	<-struck
	must(t, n.Close())
	if err := <-asked; err == nil || errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the administrator was told %v, want that the connection has ended", err)
	}
}

func TestHookSeesRequestsOfTheManagementAPI(t *testing.T) {
	n := fakerelay.RunT(t)
	var steps []string
	n.Hook(func(e fakerelay.Event) fakerelay.Action {
		step := e.String()
		if e.Done {
			step += " done"
		}
		steps = append(steps, step)
		return fakerelay.ForceDetach // which it has no room for
	})
	a := administrator(t, n, nil)
	_, err := a.CreateRule(within(t), fakerelay.DefaultTopic, fakerelay.DefaultSubscription, &admin.CreateRuleOptions{Name: new("large")})
	must(t, err)
	_, err = a.DeleteQueue(within(t), "nothing", nil)
	refusedWith(t, err, http.StatusNotFound, "")
	const rule = "administer PUT of topic.1/Subscriptions/subscription.1/Rules/large"
	if got, want := strings.Join(steps, ", "), rule+", "+rule+" done, administer DELETE of nothing"; got != want {
		t.Errorf("saw %q, want %q", got, want)
	}
}

func TestFaultsOfTheManagementAPIOverHTTP(t *testing.T) {
	n := fakerelay.RunT(t)
	var trace syncBuffer
	defer n.Trace(&trace)()
	control := newController(t, n)
	code, text := control.call("POST", "/faults", `{"effect": "refuse", "operation": "administer", "request": "DELETE", "status": 503, "retryAfter": "2s"}`)
	if code != http.StatusOK || !strings.HasSuffix(text, `"status":503,"id":"f1","seen":0,"hits":0,"over":false,"retryAfter":"2s"}`+"\n") {
		t.Errorf("added: %d %s", code, text)
	}
	a := administrator(t, n, nil)
	_, err := a.GetQueue(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	_, err = a.DeleteQueue(within(t), fakerelay.DefaultQueue, nil)
	refusedWith(t, err, http.StatusServiceUnavailable, "")
	if _, text = control.call("GET", "/faults", ""); !strings.Contains(text, `"hits":1,"over":true`) {
		t.Errorf("listed: %s", text)
	}
	if !strings.Contains(trace.String(), " 0 !! fault f1: refuse administer DELETE of queue.1\n") {
		t.Errorf("the trace has no such line:\n%s", trace.String())
	}
}
