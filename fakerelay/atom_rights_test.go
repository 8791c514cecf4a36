package fakerelay_test

import (
	"crypto/tls"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/fakerelay"
)

func TestAuthorizationRulesAreKeysWithTwoSecrets(t *testing.T) {
	n := fakerelay.RunT(t)
	a := administrator(t, n, nil)
	primary, secondary := fakerelay.NewSecret(), fakerelay.NewSecret()
	rules := []admin.AuthorizationRule{{
		AccessRights: []admin.AccessRight{admin.AccessRightSend}, KeyName: new("device"), PrimaryKey: &primary, SecondaryKey: &secondary,
	}}
	created, err := a.CreateQueue(within(t), "in", &admin.CreateQueueOptions{Properties: &admin.QueueProperties{AuthorizationRules: rules}})
	must(t, err)
	if !reflect.DeepEqual(created.AuthorizationRules, rules) {
		t.Errorf("the rules came back otherwise")
	}
	for _, secret := range []string{primary, secondary} {
		k := fakerelay.Key{Name: "device", Secret: secret}
		c := client(t, n.TLSConnectionStringFor(k)+";EntityPath=in", &azservicebus.ClientOptions{TLSConfig: &tls.Config{RootCAs: n.CA().Pool()}})
		send(t, newSender(t, c, "in"), body("one"))
		_, err := tryReceive(within(t), newReceiver(t, c, "in", nil))
		if err == nil {
			t.Fatal("a key for sending received")
		}
		says(t, err, "'Listen' claim(s) are required")
	}
	_, err = a.UpdateQueue(within(t), "in", admin.QueueProperties{AuthorizationRules: []admin.AuthorizationRule{{
		AccessRights: []admin.AccessRight{"Everything"}, KeyName: new("device"), PrimaryKey: &primary,
	}}}, nil)
	refusedWith(t, err, http.StatusBadRequest, "Everything")
}

func TestWhoMayNotManageIsTold(t *testing.T) {
	device := fakerelay.Key{Name: "device", Secret: fakerelay.NewSecret(), Rights: fakerelay.Send | fakerelay.Listen}
	root := fakerelay.Key{Name: fakerelay.RootKeyName, Secret: fakerelay.NewSecret(), Rights: fakerelay.Manage}
	n := fakerelay.RunOptionsT(t, fakerelay.Options{Keys: []fakerelay.Key{root, device}})
	a := administrator(t, n, &device)
	ctx := within(t)
	for text, try := range map[string]func() error{
		">Manage,EntityRead claims required for this operation.": func() error {
			_, err := a.GetQueue(ctx, fakerelay.DefaultQueue, nil)
			return err
		},
		"Manage,EntityRead claims required": func() error {
			_, err := a.NewListQueuesPager(nil).NextPage(ctx)
			return err
		},
		"Authorization failed for specified action: Manage,EntityWrite.": func() error {
			_, err := a.CreateQueue(ctx, "mine", nil)
			return err
		},
		"Authorization failed for specified action: Manage,EntityDelete.": func() error {
			_, err := a.DeleteQueue(ctx, fakerelay.DefaultQueue, nil)
			return err
		},
		"401 SubCode=40100: Unauthorized : Unauthorized access for 'GetSubscription' operation on endpoint": func() error {
			_, err := a.GetSubscription(ctx, "topic", "sub", nil)
			return err
		},
		"Unauthorized access for 'CreateOrUpdateRule' operation": func() error {
			_, err := a.CreateRule(ctx, "topic", "sub", &admin.CreateRuleOptions{Name: new("r")})
			return err
		},
	} {
		refusedWith(t, try(), http.StatusUnauthorized, text)
	}
	if q, err := a.GetQueue(ctx, "nothing", nil); q != nil || err != nil {
		t.Errorf("a queue that is not there: %v, %v; want nothing, with any token", q, err)
	}
	stranger := fakerelay.Key{Name: fakerelay.RootKeyName, Secret: fakerelay.NewSecret()}
	_, err := administrator(t, n, &stranger).GetQueue(ctx, fakerelay.DefaultQueue, nil)
	refusedWith(t, err, http.StatusUnauthorized, "InvalidSignature")
}

func TestForwardingNeedsSendAtItsEnd(t *testing.T) {
	n := fakerelay.RunT(t)
	must(t, n.CreateQueue(fakerelay.QueueOptions{Name: "from"}))
	k := fakerelay.Key{Name: "manager", Secret: fakerelay.NewSecret(), Rights: fakerelay.Manage}
	must(t, n.SetKey("from", k))
	forward := "sb://" + n.AMQPSAddr() + "/" + fakerelay.DefaultQueue
	properties := admin.QueueProperties{ForwardTo: &forward}
	_, err := administrator(t, n, &k).UpdateQueue(within(t), "from", properties, nil)
	refusedWith(t, err, http.StatusUnauthorized, "InvalidSignature")
	updated, err := administrator(t, n, nil).UpdateQueue(within(t), "from", properties, nil)
	must(t, err)
	if *updated.ForwardTo != forward {
		t.Errorf("forwards to %q, want %q", *updated.ForwardTo, forward)
	}
	c := transports["AMQP over TLS"](t, n)
	send(t, newSender(t, c, "from"), body("on"))
	if m := receive(t, newReceiver(t, c, fakerelay.DefaultQueue, nil)); string(m.Body) != "on" {
		t.Errorf("received %q", m.Body)
	}
}

func TestIdentityTokensAdministerBothTiers(t *testing.T) {
	for tier, want := range map[fakerelay.Tier]string{fakerelay.Standard: "Standard", fakerelay.Premium: "Premium"} {
		t.Run(want, func(t *testing.T) {
			n := fakerelay.RunOptionsT(t, fakerelay.Options{Tier: tier})
			a, err := admin.NewClient(strings.TrimPrefix(n.ManagementURL(), "https://"), managedIdentity{n.IdentityURL()}, adminOptions(n))
			must(t, err)
			about, err := a.GetNamespaceProperties(within(t), nil)
			must(t, err)
			if about.SKU != want || (about.MessagingUnits != nil) != (tier == fakerelay.Premium) || about.CreatedTime.IsZero() {
				t.Errorf("SKU %q, units %v, created %v", about.SKU, about.MessagingUnits, about.CreatedTime)
			}
		})
	}
}
