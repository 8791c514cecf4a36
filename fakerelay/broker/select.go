package broker

// What a subscription gets of a message: one copy if any rule without an action matches, and one for each rule with
// an action that matches ("Topic filters and actions").

import (
	"fmt"
	"maps"

	"passback/fakerelay/sqlfilter"
)

// propertyRuleName tells which rule made a copy.
const propertyRuleName = "RuleName"

// fanOut gives the message to the subscriptions, and returns their queues, which may have something to hand on.
func (t *Topic) fanOut(message Stored) []*Queue {
	t.mu.RLock()
	defer t.mu.RUnlock()
	var reached []*Queue
	var properties *sqlfilter.Message
	for _, s := range t.subscriptions {
		if properties == nil && s.looks() {
			var err error
			if properties, err = t.broker.options.Codec.read(message); err != nil {
				properties = sqlfilter.NewMessage() // what cannot be read has no properties
			}
		}
		copies, err := s.choose(message, properties)
		if err != nil && s.options.DeadLetterOnFilterErrors {
			s.queue.receiveUndelivered(s.queue.dead, message, deadLetterProperties(ReasonFilter, err.Error()))
		}
		for _, each := range copies {
			s.queue.arriveOrBury(each)
		}
		if err != nil || len(copies) > 0 {
			reached = append(reached, s.queue)
		}
	}
	return reached
}

// looks reports whether any rule needs to see the message.
func (s *Subscription) looks() bool {
	for _, c := range s.rules {
		if c.action != nil || c.Filter.Kind == SQLFilter || c.Filter.Kind == CorrelationFilter {
			return true
		}
	}
	return false
}

// choose makes the copies that the rules select; the error is that of the last rule that could not be evaluated.
func (s *Subscription) choose(message Stored, properties *sqlfilter.Message) (copies []Stored, failed error) {
	plain := false
	for _, c := range s.rules {
		matches, err := c.matches(properties)
		if err == nil && matches && c.action != nil {
			var changed Stored
			if changed, err = s.annotated(message, properties, c); err == nil {
				copies = append(copies, changed)
			}
		}
		if err != nil {
			failed = fmt.Errorf("rule %s: %w", c.Name, err)
		}
		plain = plain || err == nil && matches && c.action == nil
	}
	if plain {
		copies = append(copies, message)
	}
	return copies, failed
}

func (c *compiled) matches(m *sqlfilter.Message) (bool, error) {
	switch c.Filter.Kind {
	case SQLFilter:
		return c.filter.Matches(m)
	case CorrelationFilter:
		return c.Filter.Correlation.matches(m), nil
	case TrueFilter:
		return true, nil
	case FalseFilter:
	}
	return false, nil
}

// annotated is the message as the rule's action changes it.
func (s *Subscription) annotated(message Stored, properties *sqlfilter.Message, c *compiled) (Stored, error) {
	changed := &sqlfilter.Message{System: maps.Clone(properties.System), User: maps.Clone(properties.User)}
	if err := c.action.Apply(changed); err != nil {
		return Stored{}, err
	}
	changed.User[propertyRuleName] = c.Name
	m, err := s.topic.broker.options.Codec.write(message, changed)
	if err != nil {
		return Stored{}, err
	}
	message.Message = m
	message.Properties = nil // they are in the message now
	return message, nil
}
