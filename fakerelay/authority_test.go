package fakerelay_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/fakerelay"
)

// A right is asked for at each request to $management, whose links any token for the entity opens.
func TestManagementOperationsNeedTheirRights(t *testing.T) {
	n := fakerelay.RunT(t)
	for operation, test := range map[string]struct {
		held  fakerelay.Rights
		lacks string
	}{
		"com.microsoft:peek-message":             {fakerelay.Send, "'Listen' claim(s) are required"},
		"com.microsoft:renew-lock":               {fakerelay.Send, "'Listen' claim(s) are required"},
		"com.microsoft:schedule-message":         {fakerelay.Listen, "'Send' claim(s) are required"},
		"com.microsoft:cancel-scheduled-message": {fakerelay.Listen, "'Send' claim(s) are required"},
	} {
		k := newKey(test.held)
		k.Name = "of " + operation
		must(t, n.SetKey("", k))
		_, session := bareClient(t, n, k)
		ask, replies := rawLinks(t, session, fakerelay.DefaultQueue+"/$management", nil)
		must(t, ask.Send(within(t), &amqp.Message{ApplicationProperties: map[string]any{"operation": operation}, Value: map[string]any{}}, nil))
		reply, err := replies.Receive(within(t), nil)
		must(t, err)
		if status := reply.ApplicationProperties["statusCode"]; status != int32(401) {
			t.Errorf("%s by %v is answered %v", operation, test.held, status)
		}
		contains(t, reply.ApplicationProperties["statusDescription"], test.lacks)
	}
}

// A link leans on the last token that was put for its path: one put in time keeps it, the end of the last ends it.
func TestRenewalKeepsLinksAndExpiryEndsThem(t *testing.T) {
	const name = "sb://relay.example/" + fakerelay.DefaultQueue
	k := newKey(fakerelay.Send | fakerelay.Listen)
	for kind, token := range map[string]func(life time.Duration) string{
		"servicebus.windows.net:sastoken": func(life time.Duration) string { return k.Sign(name, time.Now().Add(life)) },
		"jwt": func(life time.Duration) string {
			return string(webToken(t, claimsFor("https://servicebus.azure.net", life)))
		},
	} {
		t.Run(kind, func(t *testing.T) {
			inMemory(t, func(t *testing.T, n *fakerelay.Namespace, dial *azservicebus.ClientOptions) {
				must(t, n.SetKey("", k))
				nc, err := dial.NewWebSocketConn(context.Background(), azservicebus.NewWebSocketConnArgs{})
				must(t, err)
				conn, err := amqp.NewConn(context.Background(), nc, &amqp.ConnOptions{SASLType: amqp.SASLTypeAnonymous()})
				must(t, err)
				session, err := conn.NewSession(within(t), nil)
				must(t, err)
				cbs, replies := rawLinks(t, session, "$cbs", nil)
				put := func(life time.Duration) {
					m := putToken(token(life), name, "1", nil)
					m.ApplicationProperties["type"] = kind
					must(t, cbs.Send(within(t), m, nil))
					reply, err := replies.Receive(within(t), nil)
					must(t, err)
					if status := reply.ApplicationProperties["status-code"]; status != int32(202) {
						t.Fatalf("put-token is answered %v", reply.ApplicationProperties)
					}
				}

				put(time.Minute)
				sender, receiver := rawLinks(t, session, fakerelay.DefaultQueue, nil)
				time.Sleep(50 * time.Second)
				put(5 * time.Minute)
				time.Sleep(time.Minute) // beyond the first
				must(t, sender.Send(within(t), amqp.NewMessage([]byte("still here")), nil))
				m, err := receiver.Receive(within(t), nil)
				must(t, err)
				must(t, receiver.AcceptMessage(within(t), m))

				time.Sleep(5 * time.Minute)
				_, err = receiver.Receive(within(t), nil)
				hasCondition(t, err, "amqp:link:detach-forced")
				says(t, err, "Code: RenewToken. Details: Unauthorized access. 'Listen' claim(s) are required")
				err = sender.Send(within(t), amqp.NewMessage(nil), nil)
				hasCondition(t, err, "amqp:link:detach-forced")
				says(t, err, "Code: RenewToken. Details: Unauthorized access. 'Send' claim(s) are required")
				_ = conn.Close() // the other end of a pipe may have closed it already
			})
		})
	}
}

// Who has a token for one queue learns by put-token what is missing, who has a bad one does not.
func TestPutTokenNamesConditions(t *testing.T) {
	n := fakerelay.RunT(t)
	k := newKey(fakerelay.Manage)
	must(t, n.SetKey("", k))
	_, session := rawSession(t, n)
	cbs, replies := rawLinks(t, session, "$cbs", nil)
	const name = "sb://relay.example/missing"
	stranger := newKey(fakerelay.Manage)
	for _, test := range []struct {
		token     string
		status    int32
		condition string
		text      string
	}{
		{k.Sign(name, time.Now().Add(time.Hour)), 404, "com.microsoft:entity-not-found", "The messaging entity 'sb://127.0.0.1/missing' could not be found."},
		{k.Sign(name, time.Now().Add(-time.Hour)), 401, "com.microsoft:auth-failed", "ExpiredToken: The token is expired. Expiration time: '"},
		{stranger.Sign(name, time.Now().Add(time.Hour)), 401, "com.microsoft:auth-failed", "InvalidSignature: The token has an invalid signature."},
	} {
		must(t, cbs.Send(within(t), putToken(test.token, name, "1", nil), nil))
		reply, err := replies.Receive(within(t), nil)
		must(t, err)
		got := reply.ApplicationProperties
		if got["status-code"] != test.status || fmt.Sprint(got["error-condition"]) != test.condition {
			t.Errorf("answered %v %v, want %d %s", got["status-code"], got["error-condition"], test.status, test.condition)
		}
		contains(t, got["status-description"], test.text)
	}
}

// contains is says, for a property of a message.
func contains(t *testing.T, property any, text string) {
	t.Helper()
	if got, _ := property.(string); !strings.Contains(got, text) {
		t.Errorf("%q does not say %q", got, text)
	}
}
