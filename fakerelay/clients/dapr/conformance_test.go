// Package dapr runs dapr's own conformance tests for publish and subscribe, unmodified, with its two Service Bus
// components. dapr's list of components (tests/conformance/pubsub_test.go in components-contrib) brings every other
// broker's client along; this is the same call for these two. A module of its own, so that passback needs none of it.
package dapr

import (
	"os"
	"testing"

	"github.com/dapr/components-contrib/pubsub"
	"github.com/dapr/components-contrib/pubsub/azure/servicebus/queues"
	"github.com/dapr/components-contrib/pubsub/azure/servicebus/topics"
	conformance "github.com/dapr/components-contrib/tests/conformance/pubsub"
	"github.com/dapr/kit/logger"
)

func TestTopics(t *testing.T) {
	run(t, topics.NewAzureServiceBusTopics(logger.NewLogger("topics")), "azure.servicebus.topics", "topic")
}

func TestQueues(t *testing.T) {
	run(t, queues.NewAzureServiceBusQueues(logger.NewLogger("queues")), "azure.servicebus.queues", "queue")
}

// run has the operations and the settings that dapr's tests/config/pubsub/tests.yml has for both.
func run(t *testing.T, component pubsub.PubSub, name, entity string) {
	connection := os.Getenv("SERVICEBUS_CONNECTION_STRING")
	if connection == "" {
		t.Fatal("SERVICEBUS_CONNECTION_STRING is not set")
	}
	config, err := conformance.NewTestConfig(name, []string{"bulkpublish", "bulksubscribe"}, map[string]any{
		"pubsubName": "azure-servicebus", "testTopicName": entity, "testTopicForBulkSub": entity + "-bulk",
		"testMultiTopic1Name": entity + "-multi1", "testMultiTopic2Name": entity + "-multi2", "checkInOrderProcessing": false,
	})
	if err != nil {
		t.Fatal(err)
	}
	conformance.ConformanceTests(t, map[string]string{"connectionString": connection, "consumerID": "testConsumer"}, component, config)
}
