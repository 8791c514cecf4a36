package tree

// Linked attributes (MS-ADTS 3.1.1.1.6): a forward link such as member is written, its back link such as
// memberOf follows from it. Membership in groups has errors of its own (MS-SAMR 3.1.1.8.9).

import (
	"slices"
)

func (p *Plan) applyLinks(a *Attribute, c Change, rules Rules) error {
	given, err := p.tree.linkTargets(a, c.Op, c.Values)
	if err != nil {
		return err
	}
	now := slices.Clone(p.current(a).links)
	switch {
	case c.Op == ReplaceValues:
		now, err = p.withLinks(a, nil, given, rules)
	case c.Op == AddValues:
		now, err = p.withLinks(a, now, given, rules)
	case len(given) == 0:
		if len(now) == 0 && !rules.Permissive {
			return errNoSuchAttribute.about(a)
		}
		now = nil
	default:
		now, err = withoutLinks(a, now, given, rules)
	}
	if err != nil {
		return err
	}
	if a.Single && len(now) > 1 {
		if p.adds || c.Op == ReplaceValues {
			return errManyValues.about(a)
		}
		return errSingleValued.about(a)
	}
	p.changed[a] = planned{links: now}
	return nil
}

// linkTargets finds the entries that values name. What names nothing is nobody's value.
func (t *Tree) linkTargets(a *Attribute, op Op, values [][]byte) ([]*Entry, error) {
	targets := make([]*Entry, len(values))
	for i, v := range values {
		target, err := t.Resolve(string(v))
		switch {
		case NoSuchObject(err) && a.Name == "member" && op == DeleteValues:
			return nil, errNotAMember.about(a)
		case NoSuchObject(err) && a.Name == "member":
			return nil, errNoMember.about(a)
		case NoSuchObject(err):
			return nil, errNoReference.about(a)
		case err != nil:
			return nil, errBadName.about(a)
		}
		targets[i] = target
	}
	return targets, nil
}

func (p *Plan) withLinks(a *Attribute, now, given []*Entry, rules Rules) ([]*Entry, error) {
	seen := make(map[*Entry]bool, len(given)) // of those given
	for _, e := range given {
		seen[e] = false
	}
	for _, e := range now {
		if _, ok := seen[e]; ok {
			seen[e] = true
		}
	}
	for _, e := range given {
		switch {
		case !seen[e] && (a.Name != "member" || !p.isPrimaryGroupOf(e)):
			seen[e] = true
			now = append(now, e)
		case rules.Permissive:
		case a.Name == "member":
			return nil, errAlreadyMember.about(a)
		default:
			return nil, errValueExists.about(a)
		}
	}
	return now, nil
}

func withoutLinks(a *Attribute, now, given []*Entry, rules Rules) ([]*Entry, error) {
	for _, e := range given {
		rest := without(now, e)
		switch {
		case len(rest) < len(now):
			now = rest
		case rules.Permissive:
		case a.Name == "member":
			return nil, errNotAMember.about(a)
		default:
			return nil, errNoSuchValue.about(a)
		}
	}
	return now, nil
}

// relink replaces the targets of a forward link, and what they know of it.
func (e *Entry) relink(a *Attribute, targets []*Entry) {
	before := e.links[a]
	if len(targets) == 0 {
		delete(e.links, a)
	} else {
		if e.links == nil {
			e.links = map[*Attribute][]*Entry{}
		}
		e.links[a] = targets
	}
	back := a.backLink()
	if back == nil {
		return
	}
	for _, target := range difference(before, targets) {
		target.unlinked(back, e)
	}
	for _, target := range difference(targets, before) {
		if target.backLinks == nil {
			target.backLinks = map[*Attribute][]*Entry{}
		}
		target.backLinks[back] = append(target.backLinks[back], e)
	}
}

// unlinked forgets that source links to e.
func (e *Entry) unlinked(back *Attribute, source *Entry) {
	if rest := without(e.backLinks[back], source); len(rest) > 0 {
		e.backLinks[back] = rest
	} else {
		delete(e.backLinks, back)
	}
}

// difference returns what is in a and not in b. They mostly begin alike.
func difference(a, b []*Entry) []*Entry {
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	known := make(map[*Entry]bool, len(b))
	for _, e := range b {
		known[e] = true
	}
	var rest []*Entry
	for _, e := range a {
		if !known[e] {
			rest = append(rest, e)
		}
	}
	return rest
}

// detach ends all links from and to an entry that is about to go.
func detach(e *Entry) {
	for a := range e.links {
		e.relink(a, nil)
	}
	for back, sources := range e.backLinks {
		forward := back.forwardLink()
		for _, source := range slices.Clone(sources) {
			source.relink(forward, without(source.links[forward], e))
			delete(source.linkWrites, LinkValue{forward, e.GUID()})
		}
	}
}
