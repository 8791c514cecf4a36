package fakerelay_test

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/coder/websocket"
	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"passback/fakerelay"
)

// readyMade is a credential with a token that somebody else made, and that the client holds to be good for an hour.
type readyMade string

func (r readyMade) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: string(r), ExpiresOn: time.Now().Add(time.Hour)}, nil
}

// webToken signs claims with the documented key, unless another algorithm and key are given.
func webToken(t *testing.T, claims any, with ...jose.SigningKey) readyMade {
	t.Helper()
	with = append(with, jose.SigningKey{Algorithm: jose.HS256, Key: []byte(fakerelay.DevelopmentTokenKey)})
	signer, err := jose.NewSigner(with[0], nil)
	must(t, err)
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	must(t, err)
	return readyMade(token)
}

func claimsFor(audience string, life time.Duration) jwt.Claims {
	return jwt.Claims{Audience: jwt.Audience{audience}, Expiry: jwt.NewNumericDate(time.Now().Add(life))}
}

// clientWith is the stock client as a program in Azure makes it: the namespace's name and a credential.
func clientWith(t *testing.T, n *fakerelay.Namespace, credential azcore.TokenCredential, o *azservicebus.ClientOptions) *azservicebus.Client {
	t.Helper()
	if o == nil {
		o = &azservicebus.ClientOptions{CustomEndpoint: n.AMQPSAddr(), TLSConfig: &tls.Config{RootCAs: n.CA().Pool()}}
	}
	c, err := azservicebus.NewClient("localhost", credential, o)
	must(t, err)
	t.Cleanup(func() { c.Close(context.Background()) })
	return c
}

func TestManagedIdentityDoesEverything(t *testing.T) {
	n := fakerelay.RunT(t)
	for name, options := range map[string]*azservicebus.ClientOptions{
		"AMQP over TLS": nil,
		"AMQP over WebSocket": {NewWebSocketConn: func(ctx context.Context, _ azservicebus.NewWebSocketConnArgs) (net.Conn, error) {
			ws, _, err := websocket.Dial(ctx, n.WebSocketURL(), &websocket.DialOptions{
				Subprotocols: []string{"amqp"},
				HTTPClient:   &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: n.CA().Pool()}}},
			})
			if err != nil {
				return nil, err
			}
			return websocket.NetConn(context.Background(), ws, websocket.MessageBinary), nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := clientWith(t, n, managedIdentity{n.IdentityURL()}, options)
			send(t, newSender(t, c, fakerelay.DefaultQueue), body("by identity"))
			receiver := newReceiver(t, c, fakerelay.DefaultQueue, nil)
			m := receive(t, receiver)
			if string(m.Body) != "by identity" {
				t.Errorf("received %q", m.Body)
			}
			must(t, receiver.RenewMessageLock(within(t), m, nil))
			must(t, receiver.CompleteMessage(within(t), m, nil))
		})
	}
}

func TestTokensOfAnotherNamespaceAreTaken(t *testing.T) {
	gives, takes := fakerelay.RunT(t), fakerelay.RunT(t)
	send(t, newSender(t, clientWith(t, takes, managedIdentity{gives.IdentityURL()}, nil), fakerelay.DefaultQueue), body("m"))
}

func TestAudienceOfAWebToken(t *testing.T) {
	n := fakerelay.RunT(t)
	for _, audience := range []string{
		"https://servicebus.azure.net", "https://servicebus.azure.net/", "https://servicebus.azure.net/.default", "https://servicebus.azure.net//.default",
	} {
		send(t, newSender(t, clientWith(t, n, webToken(t, claimsFor(audience, time.Hour)), nil), fakerelay.DefaultQueue), body("m"))
	}
	for _, audience := range []string{"https://vault.azure.net", "https://servicebus.azure.net.example", "servicebus.azure.net", ""} {
		err := refused(t, clientWith(t, n, webToken(t, claimsFor(audience, time.Hour)), nil), fakerelay.DefaultQueue)
		hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
		says(t, err, "InvalidAudience: The token is for '"+audience+"'")
	}
}

func TestBadWebTokensAreRefused(t *testing.T) {
	n := fakerelay.RunT(t)
	const audience = "https://servicebus.azure.net"
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	good := string(webToken(t, claimsFor(audience, time.Hour)))
	_, signed, _ := strings.Cut(good, ".")
	for name, test := range map[string]struct {
		token readyMade
		says  string
	}{
		"expired":     {webToken(t, claimsFor(audience, -time.Minute)), "ExpiredToken: The token is expired. Expiration time: '"},
		"foreign key": {webToken(t, claimsFor(audience, time.Hour), jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}), "InvalidSignature"},
		"foreign key, and expired": {
			webToken(t, claimsFor(audience, -time.Hour), jose.SigningKey{Algorithm: jose.HS256, Key: make([]byte, 32)}), "InvalidSignature",
		},
		"of the real service's algorithm": {webToken(t, claimsFor(audience, time.Hour), jose.SigningKey{Algorithm: jose.RS256, Key: private}), "MalformedToken"},
		// The head is {"alg":"none"}.
		"unsigned":    {readyMade("eyJhbGciOiJub25lIn0." + signed[:strings.IndexByte(signed, '.')] + "."), "MalformedToken"},
		"for ever":    {webToken(t, jwt.Claims{Audience: jwt.Audience{audience}}), "MalformedToken"},
		"exp as text": {webToken(t, map[string]any{"aud": audience, "exp": "tomorrow"}), "MalformedToken"},
		"not a token": {"SharedAccessSignature sr=x&sig=y&se=1&skn=z", "MalformedToken"},
		"too long":    {webToken(t, claimsFor(strings.Repeat("a", 8<<10), time.Hour)), "MalformedToken"},
	} {
		t.Run(name, func(t *testing.T) {
			err := refused(t, clientWith(t, n, test.token, nil), fakerelay.DefaultQueue)
			hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
			says(t, err, test.says)
		})
	}
}

func TestMissingEntityIsNotFoundByAWebTokenToo(t *testing.T) {
	n := fakerelay.RunT(t)
	hasCode(t, refused(t, clientWith(t, n, managedIdentity{n.IdentityURL()}, nil), "nowhere"), azservicebus.CodeNotFound)
}

func TestExpiredWebTokenEndsAWaitingReceiver(t *testing.T) {
	inMemory(t, func(t *testing.T, n *fakerelay.Namespace, dial *azservicebus.ClientOptions) {
		c := clientWith(t, n, webToken(t, claimsFor("https://servicebus.azure.net", time.Minute)), dial)
		start := time.Now()
		_, err := tryReceive(context.Background(), newReceiver(t, c, fakerelay.DefaultQueue, nil))
		var refused *azservicebus.Error
		if !errors.As(err, &refused) || refused.Code != azservicebus.CodeUnauthorizedAccess {
			t.Errorf("got %v, want unauthorised access", err)
		}
		if waited := time.Since(start); waited < 59*time.Second || waited > 2*time.Minute {
			t.Errorf("the link ended after %v, the token after a minute", waited)
		}
		must(t, c.Close(context.Background()))
	})
}
