package fakerelay_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/go-amqp"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

// signed is a ready-made signature of a key, as a cloud service hands out to its devices.
func signed(n *fakerelay.Namespace, k fakerelay.Key, queue string, expires time.Time) string {
	resource := strings.ToLower(url.QueryEscape("amqp://" + n.AMQPAddr() + "/" + queue))
	se := fmt.Sprint(expires.Unix())
	mac := hmac.New(sha256.New, []byte(k.Secret))
	mac.Write([]byte(resource + "\n" + se))
	return fmt.Sprintf("SharedAccessSignature sr=%s&sig=%s&se=%s&skn=%s",
		resource, url.QueryEscape(base64.StdEncoding.EncodeToString(mac.Sum(nil))), se, k.Name)
}

func signedClient(t *testing.T, n *fakerelay.Namespace, k fakerelay.Key, queue string, expires time.Time) *azservicebus.Client {
	t.Helper()
	return client(t, "Endpoint=sb://"+n.AMQPAddr()+";SharedAccessSignature="+signed(n, k, queue, expires)+";UseDevelopmentEmulator=true;", nil)
}

func newKey(rights fakerelay.Rights) fakerelay.Key {
	return fakerelay.Key{Name: "agent", Secret: fakerelay.NewSecret(), Rights: rights}
}

// refused tries to send, and returns why that did not work.
func refused(t *testing.T, c *azservicebus.Client, queue string) error {
	t.Helper()
	err := newSender(t, c, queue).SendMessage(within(t), body("no"), nil)
	if err == nil {
		t.Fatal("the message was taken")
	}
	return err
}

func says(t *testing.T, err error, text string) {
	t.Helper()
	if !strings.Contains(err.Error(), text) {
		t.Errorf("the error does not say %q: %v", text, err)
	}
}

func TestWrongSecretAndUnknownKeyAreToldAlike(t *testing.T) {
	n := fakerelay.RunT(t)
	for _, k := range []fakerelay.Key{
		{Name: fakerelay.RootKeyName, Secret: "wrong"},
		{Name: "nobody", Secret: fakerelay.NewSecret()},
	} {
		err := refused(t, client(t, n.ConnectionStringFor(k), nil), fakerelay.DefaultQueue)
		hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
		says(t, err, "InvalidSignature: The token has an invalid signature.")
	}
}

func TestExpiredToken(t *testing.T) {
	n := fakerelay.RunT(t)
	k := newKey(fakerelay.Send)
	must(t, n.SetKey("", k))
	err := refused(t, signedClient(t, n, k, fakerelay.DefaultQueue, time.Now().Add(-time.Minute)), fakerelay.DefaultQueue)
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
	says(t, err, "ExpiredToken: The token is expired. Expiration time: '")
}

func TestTokenForAnotherQueue(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: []fakerelay.QueueOptions{{Name: "mine"}, {Name: "yours"}}})
	k := newKey(fakerelay.Send)
	must(t, n.SetKey("", k))
	c := signedClient(t, n, k, "mine", time.Now().Add(time.Hour))
	hasCode(t, refused(t, c, "yours"), azservicebus.CodeUnauthorizedAccess)
}

func TestMissingEntityIsNotFound(t *testing.T) {
	n := fakerelay.RunT(t)
	c := client(t, n.ConnectionString(), nil)
	err := refused(t, c, "nowhere")
	hasCode(t, err, azservicebus.CodeNotFound)
	says(t, err, "The messaging entity 'sb://"+n.AMQPAddr()+"/nowhere' could not be found.")
	_, err = newReceiver(t, c, "nowhere", nil).ReceiveMessages(within(t), 1, nil)
	hasCode(t, err, azservicebus.CodeNotFound)
}

func TestEachRightAllowsWhatItSays(t *testing.T) {
	n := fakerelay.RunT(t)
	sends, listens := newKey(fakerelay.Send), newKey(fakerelay.Listen)
	listens.Name = "listener"
	must(t, n.SetKey(fakerelay.DefaultQueue, sends))
	must(t, n.SetKey(fakerelay.DefaultQueue, listens))
	sender, listener := client(t, n.ConnectionStringFor(sends), nil), client(t, n.ConnectionStringFor(listens), nil)

	send(t, newSender(t, sender, fakerelay.DefaultQueue), body("allowed"))
	_, err := newReceiver(t, sender, fakerelay.DefaultQueue, nil).ReceiveMessages(within(t), 1, nil)
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
	says(t, err, "'Listen' claim(s) are required to perform this operation. Resource: 'sb://")

	if m := receive(t, newReceiver(t, listener, fakerelay.DefaultQueue, nil)); string(m.Body) != "allowed" {
		t.Errorf("received %q", m.Body)
	}
	says(t, refused(t, listener, fakerelay.DefaultQueue), "'Send' claim(s) are required to perform this operation.")
}

func TestKeyOfAnEntityIsNoGoodElsewhere(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Queues: []fakerelay.QueueOptions{{Name: "mine"}, {Name: "yours"}}})
	k := newKey(fakerelay.Send | fakerelay.Listen)
	must(t, n.SetKey("mine", k))
	c := client(t, n.ConnectionStringFor(k), nil)
	send(t, newSender(t, c, "MINE"), body("names ignore case"))
	hasCode(t, refused(t, c, "yours"), azservicebus.CodeUnauthorizedAccess)
}

func TestDeletedKeyEndsItsLinks(t *testing.T) {
	n := fakerelay.RunT(t)
	k := newKey(fakerelay.Listen)
	must(t, n.SetKey(fakerelay.DefaultQueue, k))
	c := client(t, n.ConnectionStringFor(k), &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
	receiver := newReceiver(t, c, fakerelay.DefaultQueue, nil)
	send(t, newSender(t, client(t, n.ConnectionString(), nil), fakerelay.DefaultQueue), body("first"))
	must(t, receiver.CompleteMessage(within(t), receive(t, receiver), nil))

	waiting := make(chan error, 1)
	go func() {
		_, err := tryReceive(within(t), receiver)
		waiting <- err
	}()
	must(t, n.DeleteKey(fakerelay.DefaultQueue, k.Name))
	hasCode(t, <-waiting, azservicebus.CodeUnauthorizedAccess)
	if err := n.DeleteKey(fakerelay.DefaultQueue, k.Name); !errors.Is(err, fakerelay.ErrNoKey) {
		t.Errorf("deleting it again: %v", err)
	}
}

func TestKeysAreReplacedAndLimited(t *testing.T) {
	n := fakerelay.RunT(t)
	k := newKey(fakerelay.Send)
	must(t, n.SetKey("", k))
	c := client(t, n.ConnectionStringFor(k), &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
	sender := newSender(t, c, fakerelay.DefaultQueue)
	send(t, sender, body("m"))
	must(t, n.SetKey("", k))
	send(t, sender, body("the same key again ends nothing"))
	k.Secret = fakerelay.NewSecret()
	must(t, n.SetKey("", k))
	eventually(t, "the end of what the old secret opened", func() bool {
		return sender.SendMessage(within(t), body("no"), nil) != nil
	})

	var err error
	for i := 0; err == nil && i < 20; i++ {
		k.Name = fmt.Sprint("key", i)
		err = n.SetKey(fakerelay.DefaultQueue, k)
	}
	if err == nil || k.Name != "key12" {
		t.Errorf("%s: %v, want the thirteenth to be refused", k.Name, err)
	}
	if err := n.SetKey("nowhere", k); !errors.Is(err, broker.ErrNotFound) {
		t.Errorf("a key of a missing queue: %v", err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	k := newKey(fakerelay.Send)
	for _, printed := range []string{fmt.Sprint(k), fmt.Sprintf("%+v", k), fmt.Sprintf("%#v", k), fmt.Sprintf("%v", []fakerelay.Key{k}), fmt.Sprintf("%v", &k)} {
		if strings.Contains(printed, k.Secret) {
			t.Errorf("the secret was printed")
		}
	}
}

func TestPlainSASLTakesAKeyOfTheNamespace(t *testing.T) {
	n := fakerelay.RunT(t)
	k := newKey(fakerelay.Send)
	k.Secondary = fakerelay.NewSecret()
	must(t, n.SetKey("", k))
	dial := func(secret string) error {
		conn, err := amqp.Dial(context.Background(), "amqp://"+n.AMQPAddr(), &amqp.ConnOptions{SASLType: amqp.SASLTypePlain(k.Name, secret)})
		if err != nil {
			return err
		}
		defer conn.Close()
		session, err := conn.NewSession(within(t), nil)
		if err != nil {
			return err
		}
		sender, err := session.NewSender(within(t), fakerelay.DefaultQueue, nil)
		if err != nil {
			return err
		}
		return sender.Send(within(t), amqp.NewMessage([]byte("plain")), nil)
	}
	must(t, dial(k.Secret))
	must(t, dial(k.Secondary))
	if dial("wrong") == nil {
		t.Error("a wrong secret was let in")
	}
}
