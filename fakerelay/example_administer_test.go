package fakerelay_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/fakerelay"
)

// A queue was created, and the answer was lost. The SDK asks again, and is told that the queue exists: does your
// deployment take that for success?
func ExampleNamespace_AddFault_administer() {
	namespace := ok(fakerelay.New(fakerelay.Options{}))
	defer namespace.Close()
	ok(namespace.AddFault(fakerelay.Fault{
		Effect: fakerelay.EffectDisconnect, Operation: fakerelay.Administer, Request: http.MethodPut, After: true,
	}))
	transport := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: namespace.CA().Pool()}}}
	administrator := ok(admin.NewClientFromConnectionString(namespace.TLSConnectionString(), &admin.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: transport},
	}))
	_, err := administrator.CreateQueue(context.Background(), "orders", nil)
	var refused *azcore.ResponseError
	fmt.Println(errors.As(err, &refused) && refused.StatusCode == http.StatusConflict)
	// Output: true
}
