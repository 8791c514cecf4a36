package fakerelay_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"

	"passback/fakerelay"
)

func TestTierTellsHowLargeAMessageMayBe(t *testing.T) {
	for name, test := range map[string]struct {
		options      fakerelay.Options
		fits, exceed int // bytes
	}{
		"default":  {fakerelay.Options{}, 255 << 10, 257 << 10},
		"standard": {fakerelay.Options{Tier: fakerelay.Standard}, 255 << 10, 257 << 10},
		"premium":  {fakerelay.Options{Tier: fakerelay.Premium}, 1023 << 10, 1025 << 10},
	} {
		t.Run(name, func(t *testing.T) {
			n := fakerelay.RunOptionsT(t, test.options)
			c := client(t, n.ConnectionString(), nil)
			sender := newSender(t, c, fakerelay.DefaultQueue)
			batch, err := sender.NewMessageBatch(within(t), nil)
			must(t, err)
			if err := batch.AddMessage(&azservicebus.Message{Body: make([]byte, test.exceed)}, nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
				t.Errorf("%d bytes in a batch: %v", test.exceed, err)
			}
			if err := sender.SendMessage(within(t), &azservicebus.Message{Body: make([]byte, test.exceed)}, nil); !errors.Is(err, azservicebus.ErrMessageTooLarge) {
				t.Errorf("%d bytes: %v", test.exceed, err)
			}
			send(t, sender, &azservicebus.Message{Body: make([]byte, test.fits)})
			if m := receive(t, newReceiver(t, c, fakerelay.DefaultQueue, nil)); len(m.Body) != test.fits {
				t.Errorf("received %d bytes", len(m.Body))
			}
		})
	}
}

func TestTierIsReadByItsName(t *testing.T) {
	for _, tier := range []fakerelay.Tier{fakerelay.Standard, fakerelay.Premium} {
		got, err := fakerelay.ParseTier(tier.String())
		if err != nil || got != tier {
			t.Errorf("%v is read as %v, %v", tier, got, err)
		}
	}
	if _, err := fakerelay.ParseTier("basic"); err == nil || !strings.Contains(err.Error(), `"basic" is not one of standard, premium`) {
		t.Errorf("got %v", err)
	}
	if n, err := fakerelay.New(fakerelay.Options{Tier: 7}); err == nil {
		n.Close()
		t.Error("a tier that does not exist was taken")
	}
}
