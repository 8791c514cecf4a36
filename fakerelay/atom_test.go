package fakerelay_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/fakerelay"
)

func httpClient(n *fakerelay.Namespace) *http.Client {
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}}
}

func adminOptions(n *fakerelay.Namespace) *admin.ClientOptions {
	return &admin.ClientOptions{ClientOptions: azcore.ClientOptions{
		Transport: httpClient(n), Retry: policy.RetryOptions{MaxRetries: -1},
	}}
}

// administrator has the stock client with a key of the namespace.
func administrator(t *testing.T, n *fakerelay.Namespace, k *fakerelay.Key) *admin.Client {
	t.Helper()
	connection := n.TLSConnectionString()
	if k != nil {
		connection = n.TLSConnectionStringFor(*k)
	}
	c, err := admin.NewClientFromConnectionString(connection, adminOptions(n))
	must(t, err)
	return c
}

// status is that of a refused request; 0: it was not refused.
func status(err error) int {
	var refused *azcore.ResponseError
	if errors.As(err, &refused) {
		return refused.StatusCode
	}
	return 0
}

func refusedWith(t *testing.T, err error, want int, text string) {
	t.Helper()
	if err == nil {
		t.Fatalf("was not refused, want %d", want)
	}
	if got := status(err); got != want {
		t.Errorf("status %d, want %d", got, want)
	}
	says(t, err, text)
}

func TestAdministratorCreatesWhatCanBeUsed(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	created, err := a.CreateQueue(within(t), "orders", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{
		LockDuration: new("PT45S"), MaxDeliveryCount: new(int32(3)), DefaultMessageTimeToLive: new("PT90M"),
		DeadLetteringOnMessageExpiration: new(true), UserMetadata: new("for <tests> & more"),
	}})
	must(t, err)
	got, err := a.GetQueue(within(t), "ORDERS", nil)
	must(t, err)
	if !reflect.DeepEqual(got.QueueProperties, created.QueueProperties) {
		t.Errorf("was created as %+v and is %+v", created.QueueProperties, got.QueueProperties)
	}
	for property, pair := range map[string][2]any{
		"LockDuration":             {*got.LockDuration, "PT45S"},
		"MaxDeliveryCount":         {*got.MaxDeliveryCount, int32(3)},
		"DefaultMessageTimeToLive": {*got.DefaultMessageTimeToLive, "PT1H30M"},
		"UserMetadata":             {*got.UserMetadata, "for <tests> & more"},
		"MaxSizeInMegabytes":       {*got.MaxSizeInMegabytes, int32(1024)},
		"AutoDeleteOnIdle":         {*got.AutoDeleteOnIdle, "P10675199DT2H48M5.4775807S"},
		"RequiresSession":          {*got.RequiresSession, false},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s is %v, want %v", property, pair[0], pair[1])
		}
	}
	c := transports["AMQP over TLS"](t, n)
	send(t, newSender(t, c, "orders"), body("one"))
	if m := receive(t, newReceiver(t, c, "orders", nil)); string(m.Body) != "one" {
		t.Errorf("received %q", m.Body)
	}
}

func TestAdministratorIsToldWhatDoesNotGo(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	_, err := a.CreateQueue(within(t), fakerelay.DefaultQueue, nil)
	refusedWith(t, err, http.StatusConflict, "SubCode=40900")
	_, err = a.CreateTopic(within(t), fakerelay.DefaultQueue, nil)
	refusedWith(t, err, http.StatusConflict, "SubCode=40900")
	_, err = a.UpdateQueue(within(t), "nothing", admin.QueueProperties{}, nil)
	refusedWith(t, err, http.StatusNotFound, "404 Not Found")
	_, err = a.DeleteQueue(within(t), "nothing", nil)
	refusedWith(t, err, http.StatusNotFound, "SubCode=40400")
	_, err = a.UpdateQueue(within(t), fakerelay.DefaultQueue, admin.QueueProperties{RequiresSession: new(true)}, nil)
	refusedWith(t, err, http.StatusBadRequest, "The value for the RequiresSession property of an existing Queue cannot be changed")
	_, err = a.UpdateQueue(within(t), fakerelay.DefaultQueue, admin.QueueProperties{EnablePartitioning: new(true)}, nil)
	refusedWith(t, err, http.StatusBadRequest, "Partitioning cannot be changed for Queue. ")
	_, err = a.CreateQueue(within(t), "late", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{LockDuration: new("PT6M")}})
	refusedWith(t, err, http.StatusBadRequest, "LockDuration")
	_, err = a.CreateQueue(within(t), "late", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{LockDuration: new("soon")}})
	refusedWith(t, err, http.StatusBadRequest, "soon")
	queue, err := a.GetQueue(within(t), "nothing", nil)
	if queue != nil || err != nil {
		t.Errorf("a queue that is not there: %v, %v; want nothing", queue, err)
	}
}

func TestUpdateDetachesLinksAndTakesEffect(t *testing.T) {
	n := fakerelay.RunT(t)
	c := transports["AMQP over TLS"](t, n)
	s, r := newSender(t, c, fakerelay.DefaultQueue), newReceiver(t, c, fakerelay.DefaultQueue, nil)
	send(t, s, body("before"))
	receive(t, r)
	_, err := administrator(t, n, nil).UpdateQueue(within(t), fakerelay.DefaultQueue, admin.QueueProperties{MaxDeliveryCount: new(int32(1))}, nil)
	must(t, err)
	send(t, s, body("after"))
	m := receive(t, r)
	if string(m.Body) != "after" {
		t.Fatalf("received %q", m.Body)
	}
	must(t, r.AbandonMessage(within(t), m, nil))
	q, err := n.Queue(fakerelay.DefaultQueue)
	must(t, err)
	if got := q.DeadLetterCount(); got != 1 {
		t.Errorf("%d dead letters after one failed delivery of one that is allowed, want 1", got)
	}
}

func TestRuntimePropertiesCountMessages(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	before, err := a.GetQueueRuntimeProperties(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	if !before.AccessedAt.IsZero() || before.CreatedAt.IsZero() {
		t.Errorf("a new queue was accessed %v and created %v", before.AccessedAt, before.CreatedAt)
	}
	c := transports["AMQP over TLS"](t, n)
	s, r := newSender(t, c, fakerelay.DefaultQueue), newReceiver(t, c, fakerelay.DefaultQueue, nil)
	for range 3 {
		send(t, s, body("one"))
	}
	_, err = s.ScheduleMessages(within(t), []*azservicebus.Message{body("later")}, before.CreatedAt.AddDate(1, 0, 0), nil)
	must(t, err)
	must(t, r.DeadLetterMessage(within(t), receive(t, r), nil))
	after, err := a.GetQueueRuntimeProperties(within(t), fakerelay.DefaultQueue, nil)
	must(t, err)
	if after.TotalMessageCount != 4 || after.ActiveMessageCount != 2 || after.DeadLetterMessageCount != 1 || after.ScheduledMessageCount != 1 {
		t.Errorf("total %d, active %d, dead %d, scheduled %d; want 4, 2, 1, 1", after.TotalMessageCount,
			after.ActiveMessageCount, after.DeadLetterMessageCount, after.ScheduledMessageCount)
	}
	if after.SizeInBytes <= 0 || after.AccessedAt.IsZero() {
		t.Errorf("size %d, accessed %v", after.SizeInBytes, after.AccessedAt)
	}
}

func TestListsComeInPages(t *testing.T) {
	n := fakerelay.RunT(t)
	for i := range 6 {
		must(t, n.CreateQueue(fakerelay.QueueOptions{Name: fmt.Sprintf("q%d", i)}))
	}
	var names []string
	pages := 0
	for pager := administrator(t, n, nil).NewListQueuesPager(&admin.ListQueuesOptions{MaxPageSize: 3}); pager.More(); pages++ {
		page, err := pager.NextPage(within(t))
		must(t, err)
		for _, q := range page.Queues {
			names = append(names, q.QueueName)
		}
	}
	if got, want := strings.Join(names, " "), "q0 q1 q2 q3 q4 q5 queue.1"; got != want || pages != 3 {
		t.Errorf("%d pages with %q, want 3 with %q", pages, got, want)
	}
}

// ask is a request without an SDK.
func ask(t *testing.T, n *fakerelay.Namespace, method, path, token string, content []byte) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(within(t), method, n.ManagementURL()+path, bytes.NewReader(content))
	must(t, err)
	if token != "" {
		request.Header.Set("Authorization", token)
	}
	response, err := httpClient(n).Do(request)
	must(t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, string(answer)
}

func TestStrangeRequestsAreRefused(t *testing.T) {
	n := fakerelay.RunT(t)
	token, err := managedIdentity{n.IdentityURL()}.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://servicebus.azure.net//.default"}})
	must(t, err)
	for name, test := range map[string]struct {
		method, path, token string
		body                []byte
		want                int
	}{
		"no token":              {method: "GET", path: "/queue.1", want: 401},
		"a token that is none":  {method: "GET", path: "/queue.1", token: "x", want: 401},
		"a method that is none": {method: "POST", path: "/queue.1", token: token.Token, want: 405},
		"no body":               {method: "PUT", path: "/q", token: token.Token, want: 400},
		"not XML":               {method: "PUT", path: "/q", token: token.Token, body: []byte("{}"), want: 400},
		"another entry":         {method: "PUT", path: "/q", token: token.Token, body: []byte("<entry><content/></entry>"), want: 400},
		"a large body":          {method: "PUT", path: "/q", token: token.Token, body: bytes.Repeat([]byte("<entry>"), 300_000), want: 413},
		"a strange page":        {method: "GET", path: "/$Resources/Queues?$skip=-1", token: token.Token, want: 400},
		"a strange name":        {method: "PUT", path: "/%24q", token: token.Token, body: []byte("<entry><content><QueueDescription/></content></entry>"), want: 400},
		"a deleted collection":  {method: "DELETE", path: "/$Resources/Queues", token: token.Token, want: 405},
	} {
		t.Run(name, func(t *testing.T) {
			status, answer := ask(t, n, test.method, test.path, test.token, test.body)
			if status != test.want {
				t.Errorf("status %d (%s), want %d", status, answer, test.want)
			}
			var refused struct {
				XMLName xml.Name `xml:"Error"`
				Code    int
				Detail  string
			}
			must(t, xml.Unmarshal([]byte(answer), &refused))
			if refused.Code != status || !strings.Contains(refused.Detail, "TrackingId:") {
				t.Errorf("the error document is %+v", refused)
			}
		})
	}
}

func TestPremiumEntitiesTakeTheMessagesTheyAreMadeFor(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Tier: fakerelay.Premium})
	a := administrator(t, n, nil)
	_, err := a.CreateQueue(within(t), "large", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{MaxMessageSizeInKilobytes: new(int64(3 << 10))}})
	must(t, err)
	c := transports["AMQP over TLS"](t, n)
	large := &azservicebus.Message{Body: bytes.Repeat([]byte("x"), 2<<20)}
	send(t, newSender(t, c, "large"), large)
	if m := receive(t, newReceiver(t, c, "large", nil)); !bytes.Equal(m.Body, large.Body) {
		t.Errorf("received %d bytes, want %d", len(m.Body), len(large.Body))
	}
	err = newSender(t, c, fakerelay.DefaultQueue).SendMessage(within(t), large, nil)
	if !errors.Is(err, azservicebus.ErrMessageTooLarge) {
		t.Errorf("a queue of the tier's size answered %v to 2 MiB", err)
	}
	_, err = a.CreateQueue(within(t), "larger", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{MaxMessageSizeInKilobytes: new(int64(102401))}})
	refusedWith(t, err, http.StatusBadRequest, "MaxMessageSizeInKilobytes 102401")
}
