package fakerelay_test

import (
	"context"
	"encoding/xml"
	"net/http"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"passback/fakerelay"
)

// FuzzManagementBody puts anything as any kind of entity. Each is answered, by a document, and never with a failure of
// the server's own.
func FuzzManagementBody(f *testing.F) {
	n := fakerelay.RunT(f)
	token, err := managedIdentity{n.IdentityURL()}.GetToken(context.Background(), policy.TokenRequestOptions{Scopes: []string{"https://servicebus.azure.net//.default"}})
	if err != nil {
		f.Fatal(err)
	}
	client := httpClient(n)
	const instance = ` xmlns:i="http://www.w3.org/2001/XMLSchema-instance"`
	for path, description := range map[string]string{
		"/q": `<QueueDescription` + instance + `><LockDuration>PT45S</LockDuration><MaxSizeInMegabytes>4096</MaxSizeInMegabytes>` +
			`<EnablePartitioning>true</EnablePartitioning><ForwardTo>sb://x/queue.1</ForwardTo><AuthorizationRules><AuthorizationRule i:type="SharedAccessAuthorizationRule">` +
			`<Rights><AccessRights>Send</AccessRights></Rights><KeyName>k</KeyName></AuthorizationRule></AuthorizationRules></QueueDescription>`,
		"/t": `<TopicDescription><AutoDeleteOnIdle>PT5M</AutoDeleteOnIdle><Status>Disabled</Status></TopicDescription>`,
		"/topic.1/Subscriptions/s": `<SubscriptionDescription` + instance + `><DefaultRuleDescription><Filter i:type="CorrelationFilter"><Label>x</Label></Filter>` +
			`<Action i:type="EmptyRuleAction"/><Name>r</Name></DefaultRuleDescription></SubscriptionDescription>`,
		"/topic.1/Subscriptions/subscription.1/Rules/r": `<RuleDescription` + instance + `><Filter i:type="SqlFilter"><SqlExpression>a = @b</SqlExpression><Parameters>` +
			`<KeyValueOfstringanyType><Key>@b</Key><Value i:type="d:int">1</Value></KeyValueOfstringanyType></Parameters></Filter></RuleDescription>`,
	} {
		f.Add(path, "<entry><content>"+description+"</content></entry>", false)
		f.Add(path, "<entry><content>"+description+"</content></entry>", true)
	}
	f.Fuzz(func(t *testing.T, path, content string, update bool) {
		request, err := http.NewRequestWithContext(within(t), http.MethodPut, n.ManagementURL(), strings.NewReader(content))
		must(t, err)
		request.URL.Path = "/" + strings.TrimLeft(path, "/")
		request.Header.Set("Authorization", token.Token)
		if update {
			request.Header.Set("If-Match", "*")
		}
		response, err := client.Do(request)
		must(t, err)
		defer response.Body.Close()
		var answer struct{ XMLName xml.Name }
		if err := xml.NewDecoder(response.Body).Decode(&answer); err != nil && response.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("status %d without a document: %v", response.StatusCode, err)
		}
		if response.StatusCode >= http.StatusInternalServerError {
			t.Errorf("status %d", response.StatusCode)
		}
	})
}
