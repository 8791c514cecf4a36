package broker

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"passback/fakerelay/sqlfilter"
)

// DefaultRule is the name of the rule that a subscription gets when it is made with none.
const DefaultRule = "$Default"

// A Rule selects messages for a subscription, and may change the copies that it selects.
type Rule struct {
	Name      string // 1 to 50 letters, digits, '.', '-', '_' and '$'; case is kept and ignored
	Filter    Filter // default: a TrueFilter
	Action    Action // default: none
	CreatedAt time.Time
}

// A FilterKind is one of the kinds of filters.
type FilterKind int

// The kinds of filters.
const (
	TrueFilter FilterKind = iota
	FalseFilter
	SQLFilter
	CorrelationFilter
)

// A Filter is the condition of a rule.
type Filter struct {
	Kind        FilterKind
	SQL         string         // of an SQLFilter
	Parameters  map[string]any // of an SQLFilter: values by name, with or without the leading @; may be nil
	Correlation Correlation    // of a CorrelationFilter
}

// An Action changes properties of the copy of a message that its rule makes.
type Action struct {
	SQL        string         // SET and REMOVE statements; empty: no action
	Parameters map[string]any // as a Filter's
}

var ruleName = regexp.MustCompile(`^[A-Za-z0-9$](?:[A-Za-z0-9$._-]{0,48}[A-Za-z0-9$_])?$`)

// CreateRule adds a rule to a subscription; its CreatedAt is set.
func (s *Subscription) CreateRule(r Rule) error {
	return s.change(func(now time.Time) error {
		if s.topic.rules() >= MaxRules {
			return fmt.Errorf("%s: has %d rules, the most that are allowed: %w", s.topic.Name(), MaxRules, ErrQuota)
		}
		return s.insert(r, now)
	})
}

// UpdateRule replaces the filter and the action of a rule.
func (s *Subscription) UpdateRule(r Rule) error {
	return s.change(func(time.Time) error {
		i, found := s.rulePlace(r.Name)
		if !found {
			return fmt.Errorf("rule %s of %s: %w", r.Name, s.queue.path, ErrNotFound)
		}
		old := s.rules[i]
		r.Name, r.CreatedAt = old.Name, old.CreatedAt
		c, err := compile(r)
		if err != nil {
			return err
		}
		s.rules[i] = c
		return nil
	})
}

// DeleteRule removes a rule. A subscription without rules receives nothing.
func (s *Subscription) DeleteRule(name string) error {
	return s.change(func(time.Time) error {
		i, found := s.rulePlace(name)
		if !found {
			return fmt.Errorf("rule %s of %s: %w", name, s.queue.path, ErrNotFound)
		}
		s.rules = slices.Delete(s.rules, i, i+1)
		return nil
	})
}

// Rule finds a rule by its name.
func (s *Subscription) Rule(name string) (Rule, error) {
	s.topic.mu.RLock()
	defer s.topic.mu.RUnlock()
	if i, found := s.rulePlace(name); found {
		return s.rules[i].Rule, nil
	}
	return Rule{}, fmt.Errorf("rule %s of %s: %w", name, s.queue.path, ErrNotFound)
}

// Rules lists the rules by name.
func (s *Subscription) Rules() []Rule {
	s.topic.mu.RLock()
	defer s.topic.mu.RUnlock()
	rules := make([]Rule, len(s.rules))
	for i, c := range s.rules {
		rules[i] = c.Rule
	}
	return rules
}

// change does something to the rules, which counts as a use of the subscription.
func (s *Subscription) change(do func(now time.Time) error) error {
	now, err := s.queue.touch()
	if err != nil {
		return err
	}
	s.topic.mu.Lock()
	defer s.topic.mu.Unlock()
	return do(now)
}

func (s *Subscription) insert(r Rule, now time.Time) error {
	r.CreatedAt = now
	c, err := compile(r)
	if err != nil {
		return err
	}
	i, taken := s.rulePlace(r.Name)
	if taken {
		return fmt.Errorf("rule %s: %w", r.Name, ErrExists)
	}
	s.rules = slices.Insert(s.rules, i, c)
	return nil
}

func (s *Subscription) rulePlace(name string) (int, bool) {
	return slices.BinarySearchFunc(s.rules, fold(name), func(c *compiled, name string) int {
		return strings.Compare(fold(c.Name), name)
	})
}

// rules counts those of all subscriptions.
func (t *Topic) rules() int {
	n := 0
	for _, s := range t.subscriptions {
		n += len(s.rules)
	}
	return n
}

// compiled is a rule ready to be applied.
type compiled struct {
	Rule
	filter *sqlfilter.Filter // nil: not an SQLFilter
	action *sqlfilter.Action // nil: none
}

// compile checks a rule. The maps are copied: the caller may go on with them.
func compile(r Rule) (*compiled, error) {
	if !ruleName.MatchString(r.Name) {
		return nil, fmt.Errorf("rule name %q: must be 1 to 50 letters, digits, '.', '-', '_' or '$': %w", r.Name, ErrInvalidRule)
	}
	r.Filter.Parameters = maps.Clone(r.Filter.Parameters)
	r.Filter.Correlation.Properties = maps.Clone(r.Filter.Correlation.Properties)
	r.Action.Parameters = maps.Clone(r.Action.Parameters)
	c := &compiled{Rule: r}
	var err error
	switch r.Filter.Kind {
	case SQLFilter:
		if c.filter, err = sqlfilter.ParseFilter(r.Filter.SQL, r.Filter.Parameters); err != nil {
			return nil, fmt.Errorf("the filter of rule %s: %w: %w", r.Name, ErrInvalidRule, err)
		}
	case CorrelationFilter:
		if r.Filter.Correlation.empty() {
			return nil, fmt.Errorf("the filter of rule %s: a correlation filter needs at least one condition: %w", r.Name, ErrInvalidRule)
		}
	case TrueFilter, FalseFilter:
	default:
		return nil, fmt.Errorf("the filter of rule %s: its kind %d is not known: %w", r.Name, r.Filter.Kind, ErrInvalidRule)
	}
	if r.Action.SQL != "" {
		if c.action, err = sqlfilter.ParseAction(r.Action.SQL, r.Action.Parameters); err != nil {
			return nil, fmt.Errorf("the action of rule %s: %w: %w", r.Name, ErrInvalidRule, err)
		}
	}
	return c, nil
}
