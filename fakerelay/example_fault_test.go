package fakerelay_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

// A message whose acknowledgement was lost is sent again by the SDK, and is there twice: does your receiver bear it?
func ExampleNamespace_AddFault() {
	namespace, err := fakerelay.New(fakerelay.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer namespace.Close()
	if _, err := namespace.AddFault(fakerelay.Fault{
		Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Enqueue, Entity: fakerelay.DefaultQueue, After: true,
	}); err != nil {
		log.Fatal(err)
	}

	client, err := azservicebus.NewClientFromConnectionString(namespace.ConnectionString(), &azservicebus.ClientOptions{
		RetryOptions: azservicebus.RetryOptions{RetryDelay: time.Millisecond},
	})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	defer client.Close(ctx)
	sender, err := client.NewSender(fakerelay.DefaultQueue, nil)
	if err != nil {
		log.Fatal(err)
	}
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("pay 5 euros")}, nil); err != nil {
		log.Fatal(err)
	}
	queue, err := namespace.Queue(fakerelay.DefaultQueue)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(queue.Count(), "messages")
	// Output: 2 messages
}
