package fakerelay_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"passback/fakerelay"
	"passback/fakerelay/broker"
)

func TestReadConfigOfTheOfficialEmulator(t *testing.T) {
	queues, warnings, err := fakerelay.ReadConfig(strings.NewReader(`{
  "UserConfig": {
    "Namespaces": [{
      "Name": "sbemulatorns",
      "Queues": [{
        "Name": "queue.1", // the first
        "Properties": {
          "DeadLetteringOnMessageExpiration": true, "DefaultMessageTimeToLive": "PT1H", "LockDuration": "PT1M30S",
          "DuplicateDetectionHistoryTimeWindow": "PT20S", "ForwardDeadLetteredMessagesTo": "", "ForwardTo": "http://x",
          "MaxDeliveryCount": 3, "RequiresDuplicateDetection": true, "RequiresSession": true, "Colour": "blue"
        }
      }, {"Name": "plain", "Properties": {"DefaultMessageTimeToLive": "P10675199DT2H48M5.4775807S"}}],
      "Topics": [{"Name": "topic.1", "Subscriptions": []}]
    }],
    "Logging": {"Type": "File"}
  }
}`))
	must(t, err)
	want := []fakerelay.QueueOptions{{
		Name: "queue.1", LockDuration: 90 * time.Second, MaxDeliveryCount: 3, DefaultTTL: time.Hour, RequiresSession: true,
		RequiresDuplicateDetection: true, DuplicateWindow: 20 * time.Second, DeadLetterOnExpiration: true,
	}, {Name: "plain"}}
	if !slices.Equal(queues, want) {
		t.Errorf("queues %+v, want %+v", queues, want)
	}
	wantWarnings := []string{
		"UserConfig.Namespaces[0].Queues[0].Properties.ForwardTo is not supported in this version and has no effect",
		"UserConfig.Namespaces[0].Queues[0].Properties.Colour is not known and has no effect",
		"topic topic.1 is not supported in this version and has no effect",
	}
	if !slices.Equal(warnings, wantWarnings) {
		t.Errorf("warnings %q, want %q", warnings, wantWarnings)
	}
}

func TestReadConfigNamesWhatIsWrong(t *testing.T) {
	for config, want := range map[string]string{
		`[]`:                                    "config: the file is []: must be a JSON object",
		`{"UserConfig": 1}`:                     "config: UserConfig is 1: must be a JSON object",
		inProperties(`"LockDuration": "1 min"`): `config: UserConfig.Namespaces[0].Queues[0].Properties.LockDuration is "1 min": must be an ISO 8601 duration such as "PT1M", or ""`,
		inProperties(`"MaxDeliveryCount": "x"`): `config: UserConfig.Namespaces[0].Queues[0].Properties.MaxDeliveryCount is "x": must be a whole number`,
		inProperties(`"RequiresSession": 1`):    `config: UserConfig.Namespaces[0].Queues[0].Properties.RequiresSession is 1: must be true or false`,
	} {
		_, _, err := fakerelay.ReadConfig(strings.NewReader(config))
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", config, err, want)
		}
	}
}

func inProperties(property string) string {
	return `{"UserConfig": {"Namespaces": [{"Queues": [{"Name": "q", "Properties": {` + property + `}}]}]}}`
}

// Whatever the file holds, it is read or refused, and what was read can be made or is refused by name.
func FuzzReadConfig(f *testing.F) {
	f.Add(inProperties(`"LockDuration": "PT1M", "MaxDeliveryCount": 3`))
	f.Add(`{"UserConfig": {"Namespaces": [{"Topics": [{"Name": "t"}]}]}} // end`)
	f.Add(`{"a": "//\\"}`)
	f.Fuzz(func(t *testing.T, config string) {
		queues, _, err := fakerelay.ReadConfig(strings.NewReader(config))
		if err != nil {
			return
		}
		b := broker.New(broker.Options{})
		defer b.Close()
		for _, q := range queues {
			if _, err := b.CreateQueue(q); err != nil && err.Error() == "" {
				t.Error("a refusal says nothing")
			}
		}
	})
}
