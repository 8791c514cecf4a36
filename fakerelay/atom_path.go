package fakerelay

import (
	"regexp"
	"strings"
)

// An atomKind is what a path of the management API leads to.
type atomKind int

const (
	atomEntity        atomKind = iota // a queue or a topic
	atomNamespace                     // the namespace
	atomQueues                        // all queues
	atomTopics                        // all topics
	atomSubscriptions                 // all subscriptions of a topic
	atomSubscription
	atomRules // all rules of a subscription
	atomRule
)

// An atomPath is a parsed path.
type atomPath struct {
	kind               atomKind
	name               string // of the queue or topic
	subscription, rule string
}

var (
	atomCollections = map[string]atomKind{
		"$namespaceinfo": atomNamespace, "$resources/queues": atomQueues, "$resources/topics": atomTopics,
	}
	atomBelowTopic = regexp.MustCompile(`(?i)^(.+?)/subscriptions(?:/([^/]+)(/rules(?:/([^/]+))?)?)?$`)
)

func parseAtomPath(path string) atomPath {
	path = strings.Trim(path, "/")
	if kind, is := atomCollections[strings.ToLower(path)]; is {
		return atomPath{kind: kind, name: path}
	}
	parts := atomBelowTopic.FindStringSubmatch(path)
	if parts == nil {
		return atomPath{kind: atomEntity, name: path}
	}
	p := atomPath{kind: atomRule, name: parts[1], subscription: parts[2], rule: parts[4]}
	switch {
	case p.subscription == "":
		p.kind = atomSubscriptions
	case parts[3] == "":
		p.kind = atomSubscription
	case p.rule == "":
		p.kind = atomRules
	}
	return p
}

// String is the path in the service's own spelling.
func (p atomPath) String() string {
	switch p.kind {
	case atomSubscriptions:
		return p.name + "/Subscriptions"
	case atomSubscription:
		return p.name + "/Subscriptions/" + p.subscription
	case atomRules:
		return p.name + "/Subscriptions/" + p.subscription + "/Rules"
	case atomRule:
		return p.name + "/Subscriptions/" + p.subscription + "/Rules/" + p.rule
	}
	return p.name
}
