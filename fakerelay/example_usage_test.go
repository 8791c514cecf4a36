package fakerelay_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/clock"
	"passback/fakerelay"
)

// ok stands for the error handling of a test.
func ok[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func ExampleNamespace_CreateQueue() {
	namespace := ok(fakerelay.New(fakerelay.Options{}))
	defer namespace.Close()
	if err := namespace.CreateQueue(fakerelay.QueueOptions{Name: "orders", RequiresSession: true}); err != nil {
		panic(err)
	}
	ctx := context.Background()
	client := ok(azservicebus.NewClientFromConnectionString(namespace.ConnectionString(), nil))
	defer client.Close(ctx)
	customer := "customer 7"
	sender := ok(client.NewSender("orders", nil))
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("an order"), SessionID: &customer}, nil); err != nil {
		panic(err)
	}
	session := ok(client.AcceptNextSessionForQueue(ctx, "orders", nil))
	messages := ok(session.ReceiveMessages(ctx, 1, nil))
	fmt.Println(session.SessionID(), "sent", string(messages[0].Body))
	// Output: customer 7 sent an order
}

func ExampleOptions_clock() {
	locks := clock.NewRunning()
	namespace := ok(fakerelay.New(fakerelay.Options{Clock: locks}))
	defer namespace.Close()
	ctx := context.Background()
	client := ok(azservicebus.NewClientFromConnectionString(namespace.ConnectionString(), nil))
	defer client.Close(ctx)
	sender := ok(client.NewSender(fakerelay.DefaultQueue, nil))
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("work")}, nil); err != nil {
		panic(err)
	}
	receiver := ok(client.NewReceiverForQueue(fakerelay.DefaultQueue, nil))
	first := ok(receiver.ReceiveMessages(ctx, 1, nil))
	locks.Advance(2 * time.Minute) // longer than the lock
	again := ok(receiver.ReceiveMessages(ctx, 1, nil))
	fmt.Println(string(first[0].Body), "came", again[0].DeliveryCount, "times")
	// Output: work came 2 times
}

func ExampleNamespace_TLSConnectionString() {
	namespace := ok(fakerelay.New(fakerelay.Options{}))
	defer namespace.Close()
	transport := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: namespace.CA().Pool()}}}
	client := ok(admin.NewClientFromConnectionString(namespace.TLSConnectionString(),
		&admin.ClientOptions{ClientOptions: azcore.ClientOptions{Transport: transport}}))
	created := ok(client.CreateQueue(context.Background(), "orders", nil))
	fmt.Println(created.QueueName, *created.MaxDeliveryCount)
	// Output: orders 10
}
