package fakerelay_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"passback/fakerelay"
)

// tokenAnswer is what App Service documents for api-version 2019-08-01.
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	ExpiresOn   string `json:"expires_on"`
	Resource    string `json:"resource"`
	TokenType   string `json:"token_type"`
	ClientID    string `json:"client_id"`
}

// managedIdentity is a credential that asks the endpoint, as ManagedIdentityCredential does on App Service.
type managedIdentity struct{ endpoint string }

func (m managedIdentity) GetToken(ctx context.Context, o policy.TokenRequestOptions) (azcore.AccessToken, error) {
	resource := strings.TrimSuffix(o.Scopes[0], "/.default")
	var answer tokenAnswer
	status, err := askIdentity(ctx, m.endpoint, url.Values{"resource": {resource}, "api-version": {"2019-08-01"}}, "anything", &answer)
	if err != nil || status != http.StatusOK {
		return azcore.AccessToken{}, fmt.Errorf("status %d: %w", status, err)
	}
	expires, err := strconv.ParseInt(answer.ExpiresOn, 10, 64)
	return azcore.AccessToken{Token: answer.AccessToken, ExpiresOn: time.Unix(expires, 0)}, err
}

// askIdentity leaves the header out where it is empty.
func askIdentity(ctx context.Context, endpoint string, query url.Values, header string, answer any) (status int, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, endpoint+"?"+query.Encode(), nil)
	if err != nil {
		return 0, err
	}
	if header != "" {
		request.Header.Set("X-IDENTITY-HEADER", header)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, json.NewDecoder(response.Body).Decode(answer)
}

func TestIdentityEndpointGivesATokenForADay(t *testing.T) {
	n := fakerelay.RunT(t)
	query := url.Values{"resource": {"https://servicebus.azure.net"}, "api-version": {"2019-08-01"}}
	var answer tokenAnswer
	asked := time.Now()
	status, err := askIdentity(within(t), n.IdentityURL(), query, "any", &answer)
	must(t, err)
	if status != http.StatusOK || answer.Resource != "https://servicebus.azure.net" || answer.TokenType != "Bearer" || answer.ClientID == "" {
		t.Errorf("answered %d, resource %q, type %q, client %q", status, answer.Resource, answer.TokenType, answer.ClientID)
	}
	seconds, err := strconv.ParseInt(answer.ExpiresOn, 10, 64)
	must(t, err)
	if life := time.Unix(seconds, 0).Sub(asked); life < 24*time.Hour-time.Second || life > 24*time.Hour+patience {
		t.Errorf("the token lives for %v", life)
	}
	if strings.Count(answer.AccessToken, ".") != 2 {
		t.Error("the token is not a signed JSON web token")
	}
}

func TestIdentityEndpointSaysWhatIsMissing(t *testing.T) {
	n := fakerelay.RunT(t)
	for name, test := range map[string]struct{ resource, version, header, says string }{
		"no header":         {"https://servicebus.azure.net", "2019-08-01", "", "X-IDENTITY-HEADER"},
		"no resource":       {"", "2019-08-01", "x", "resource"},
		"endless resource":  {strings.Repeat("r", 2000), "2019-08-01", "x", "resource"},
		"no version":        {"https://servicebus.azure.net", "", "x", "api-version"},
		"the older version": {"https://servicebus.azure.net", "2017-09-01", "x", "api-version"},
	} {
		t.Run(name, func(t *testing.T) {
			var refusal struct {
				StatusCode             int
				Message, CorrelationID string
			}
			query := url.Values{"resource": {test.resource}, "api-version": {test.version}}
			status, err := askIdentity(within(t), n.IdentityURL(), query, test.header, &refusal)
			must(t, err)
			if status != http.StatusBadRequest || refusal.StatusCode != status || !strings.Contains(refusal.Message, test.says) || refusal.CorrelationID == "" {
				t.Errorf("answered %d with %+v", status, refusal)
			}
		})
	}
}

func TestIdentityPortMayBeLeftOut(t *testing.T) {
	n := fakerelay.RunOptionsT(t, fakerelay.Options{IdentityPort: -1})
	if n.IdentityURL() != "" {
		t.Errorf("tokens are at %s", n.IdentityURL())
	}
}
