package writeback

// doctor's group policy: what of each domain's own settings stands in people's way, and what the agent must be able
// to read to say which rule refused.

import (
	"context"
	"errors"
	"fmt"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

type policyView struct {
	*domainView
	marker string
}

var policyChecks = []check[*policyView]{
	{name: "minimum age", look: (*policyView).minimumAge},
	{name: "fine-grained policies", look: (*policyView).settings},
	{name: "marker's attribute", look: (*policyView).attribute},
}

func (x *examination) examinePolicy(ctx context.Context, v *domainView, marker string) {
	examine(ctx, x, "policy", v.Name(), &policyView{v, marker}, policyChecks)
}

func (v *policyView) minimumAge(ctx context.Context) finding {
	p, err := v.conn.Policy(ctx, directory.User{})
	if err != nil {
		return warning("could not be read: "+err.Error(), "Let the agent's account read the domain's head: without it the agent cannot say which rule refused a password.")
	}
	return ageFinding(p.Policy)
}

func ageFinding(p protocol.Policy) finding {
	if p.MinimumAgeSeconds > 0 {
		return warning(fmt.Sprintf("%s in %s", time.Duration(p.MinimumAgeSeconds)*time.Second, p.Name),
			"Set it to 0: who has just changed a password, or was given one, is refused until it is that old, and resets at the portal count.")
	}
	return fine("0 in %s", p.Name)
}

func (v *policyView) settings(ctx context.Context) finding {
	seen, readable, err := v.conn.Policies(ctx)
	switch {
	case err != nil:
		return warning("could not be read: "+err.Error(), "See whether the agent's account may read CN=Password Settings Container,CN=System.")
	case readable < seen:
		return warning(fmt.Sprintf("%d can be seen and %d read", seen, readable), grantPolicies)
	case seen == 0:
		return fine("none can be seen; if the domain has some, the agent's account may not read them, and cannot say which rule refused")
	}
	return fine("%d, all readable", seen)
}

const grantPolicies = "Let the agent's account read the password settings objects (by default only Domain Admins may): without it the agent cannot say which rule refused a password."

func (v *policyView) attribute(ctx context.Context) finding {
	a, err := v.conn.Attribute(ctx, v.marker)
	switch {
	case err != nil:
		return warning(v.marker+" could not be looked up: "+err.Error(), "Let the agent's account read the schema, as Authenticated Users may by default.")
	case a == nil:
		return failure(v.marker+" is not in the schema", "Choose an attribute for the marker, in the cloud's settings, that users of this forest have.")
	case !a.MultiValued:
		return failure(v.marker+" holds one value alone", "Choose a multi-valued attribute for the marker, in the cloud's settings.")
	}
	return fine("%s, multi-valued", v.marker)
}

// maxAnchors of a domain are compared: enough for most, and no burden to a controller.
const maxAnchors = 100_000

// anchorView is all domains together, since an account may be looked for in each.
type anchorView struct{ domains []*domainView }

var anchorChecks = []check[*anchorView]{
	{name: "anchors", look: (*anchorView).compare},
}

func (x *examination) examineAnchors(ctx context.Context, domains []*domainView) {
	examine(ctx, x, "policy", "all domains", &anchorView{domains}, anchorChecks)
}

// compare finds enabled accounts that carry one anchor: each is refused as multipleMatches.
func (v *anchorView) compare(ctx context.Context) finding {
	holders, twice := map[string]string{}, 0
	var example string
	var partial error
	for _, d := range v.domains {
		if d.conn == nil {
			partial = errors.Join(partial, fmt.Errorf("%s was not asked", d.Name()))
			continue
		}
		complete, err := d.conn.Anchors(ctx, maxAnchors, func(anchor, dn string) {
			if other, there := holders[anchor]; there {
				twice++
				example = other + "; " + dn
			}
			holders[anchor] = dn
		})
		if err == nil && !complete {
			err = fmt.Errorf("%s has more than %d accounts", d.Name(), maxAnchors)
		}
		partial = errors.Join(partial, err)
	}
	switch {
	case twice > 0:
		return failure(fmt.Sprintf("%d accounts carry another's anchor, such as %s", twice, example),
			"Clear or correct mS-DS-ConsistencyGuid of all but one, or disable the others: requests for them are refused with 33003.")
	case partial != nil && len(holders) == 0:
		return skipped("%v", partial)
	case partial != nil:
		return warning(fmt.Sprintf("none of %d enabled accounts is double, but not all were seen: %v", len(holders), partial), "Look for double mS-DS-ConsistencyGuid values among the rest.")
	}
	return fine("none of %d enabled accounts is double", len(holders))
}
