package fakerelay_test

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

func ExampleNew() {
	relay, err := fakerelay.New(fakerelay.Options{})
	if err != nil {
		panic(err)
	}
	defer relay.Close()

	// From here on, everything is the stock SDK.
	ctx := context.Background()
	client, err := azservicebus.NewClientFromConnectionString(relay.ConnectionString(), nil)
	if err != nil {
		panic(err)
	}
	defer client.Close(ctx)
	sender, err := client.NewSender(fakerelay.DefaultQueue, nil)
	if err != nil {
		panic(err)
	}
	if err := sender.SendMessage(ctx, &azservicebus.Message{Body: []byte("hello")}, nil); err != nil {
		panic(err)
	}
	receiver, err := client.NewReceiverForQueue(fakerelay.DefaultQueue, nil)
	if err != nil {
		panic(err)
	}
	messages, err := receiver.ReceiveMessages(ctx, 1, nil)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(messages[0].Body))
	// Output: hello
}
