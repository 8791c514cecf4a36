package fakerelay_test

// The two secrets of a key are replaced one after the other, so that clients change over without a break: what one
// signed stands while the other changes.

import (
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus/admin"

	"passback/fakerelay"
)

// device is a key of the default queue with two secrets, and a client that holds each.
type device struct {
	n                  *fakerelay.Namespace
	key                fakerelay.Key
	primary, secondary *azservicebus.Sender
	attaches           atomic.Int64
}

func newDevice(t *testing.T) *device {
	t.Helper()
	d := &device{n: fakerelay.RunT(t), key: newKey(fakerelay.Send)}
	d.key.Secondary = fakerelay.NewSecret()
	must(t, d.n.SetKey(fakerelay.DefaultQueue, d.key))
	d.n.Hook(func(e fakerelay.Event) fakerelay.Action {
		if e.Kind == fakerelay.Attach && e.Entity == fakerelay.DefaultQueue {
			d.attaches.Add(1)
		}
		return fakerelay.Pass
	})
	d.primary, d.secondary = d.with(t, d.key.Secret), d.with(t, d.key.Secondary)
	return d
}

// with has a client that holds this secret, and a link that stands.
func (d *device) with(t *testing.T, secret string) *azservicebus.Sender {
	t.Helper()
	held := fakerelay.Key{Name: d.key.Name, Secret: secret}
	c := client(t, d.n.ConnectionStringFor(held), &azservicebus.ClientOptions{RetryOptions: azservicebus.RetryOptions{MaxRetries: -1}})
	s := newSender(t, c, fakerelay.DefaultQueue)
	send(t, s, body("a link"))
	return s
}

// stands fails unless the sender's link is the one that it opened at first.
func (d *device) stands(t *testing.T, s *azservicebus.Sender) {
	t.Helper()
	before := d.attaches.Load()
	send(t, s, body("still allowed"))
	if d.attaches.Load() != before {
		t.Error("the link of the secret that stayed was detached")
	}
}

func (d *device) ended(t *testing.T, s *azservicebus.Sender) {
	t.Helper()
	err := s.SendMessage(within(t), body("no"), nil)
	if err == nil {
		t.Fatal("a secret that was replaced still sends")
	}
	hasCode(t, err, azservicebus.CodeUnauthorizedAccess)
}

func TestReplacingOneSecretLeavesTheOther(t *testing.T) {
	for name, c := range map[string]struct {
		replaced    func(*fakerelay.Key) *string
		stays, ends func(*device) *azservicebus.Sender
	}{
		"primary": {
			func(k *fakerelay.Key) *string { return &k.Secret },
			func(d *device) *azservicebus.Sender { return d.secondary }, func(d *device) *azservicebus.Sender { return d.primary },
		},
		"secondary": {
			func(k *fakerelay.Key) *string { return &k.Secondary },
			func(d *device) *azservicebus.Sender { return d.primary }, func(d *device) *azservicebus.Sender { return d.secondary },
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t)
			*c.replaced(&d.key) = fakerelay.NewSecret()
			must(t, d.n.SetKey(fakerelay.DefaultQueue, d.key))
			d.stands(t, c.stays(d))
			d.ended(t, c.ends(d))
			d.with(t, *c.replaced(&d.key))
		})
	}
}

func TestSecretsThatChangePlacesEndNothing(t *testing.T) {
	d := newDevice(t)
	d.key.Secret, d.key.Secondary = d.key.Secondary, d.key.Secret
	must(t, d.n.SetKey(fakerelay.DefaultQueue, d.key))
	d.stands(t, d.primary)
	d.stands(t, d.secondary)
}

func TestRemovedKeyAndOtherRightsEndBothSecrets(t *testing.T) {
	for name, change := range map[string]func(*device) error{
		"removed": func(d *device) error { return d.n.DeleteKey(fakerelay.DefaultQueue, d.key.Name) },
		"other rights": func(d *device) error {
			d.key.Rights = fakerelay.Listen
			return d.n.SetKey(fakerelay.DefaultQueue, d.key)
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDevice(t)
			must(t, change(d))
			d.ended(t, d.primary)
			d.ended(t, d.secondary)
		})
	}
}

// An update through the management API detaches the links of the queue, as every update does; a token of the secret
// that stayed opens them again.
func TestAdministratorReplacesOneSecret(t *testing.T) {
	d := newDevice(t)
	old, secondary := d.key.Secret, d.key.Secondary
	a := administrator(t, d.n, nil)
	fresh := fakerelay.NewSecret()
	_, err := a.UpdateQueue(within(t), fakerelay.DefaultQueue, admin.QueueProperties{AuthorizationRules: []admin.AuthorizationRule{{
		AccessRights: []admin.AccessRight{admin.AccessRightSend}, KeyName: &d.key.Name, PrimaryKey: &fresh, SecondaryKey: &secondary,
	}}}, nil)
	must(t, err)
	d.ended(t, d.primary)
	send(t, d.secondary, body("the other secret"))
	d.with(t, fresh)
	err = refused(t, client(t, d.n.ConnectionStringFor(fakerelay.Key{Name: d.key.Name, Secret: old}), nil), fakerelay.DefaultQueue)
	says(t, err, "InvalidSignature")
}
