package directory

// Range retrieval (MS-ADTS 3.1.1.3.1.3.3): of an attribute with more values than its policy MaxValRange, 1500 unless an
// administrator has set it, a controller answers the first ones, as extensionName;range=0-1499. The rest is asked for.

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

const (
	// maxRanges of one attribute are read: more values than any directory holds of one that is not linked.
	maxRanges = 100
	// rangesAgain is how often they are read, where somebody writes meanwhile.
	rangesAgain = 3
	// versionAttribute changes at each write to the object, on the one controller that is asked.
	versionAttribute = "uSNChanged"
)

var (
	errRanges    = errors.New("its values are being written, again and again")
	errNoVersion = errors.New("the agent's account may not read " + versionAttribute + ", by which many values are known to be of one instant")
)

// values returns all values of an attribute as of one instant: e, if its search brought all of them. A marker without
// its twin would tell a refusal as a success.
func (c *Conn) values(ctx context.Context, e *ldap.Entry, attribute string) ([]string, error) {
	all, next := valuesIn(e, attribute)
	if next == 0 {
		return all, nil
	}
	for range rangesAgain {
		all, whole, err := c.inRanges(ctx, e.DN, attribute)
		if whole || err != nil {
			return all, err
		}
	}
	return nil, fmt.Errorf("%s: %s: %w", e.DN, attribute, errRanges)
}

// inRanges reads them from the first to the last; whole is false where somebody wrote meanwhile.
func (c *Conn) inRanges(ctx context.Context, dn, attribute string) (all []string, whole bool, err error) {
	var version string
	next := 0
	for range maxRanges {
		e, err := c.readEntry(ctx, dn, fmt.Sprintf("%s;range=%d-*", attribute, next), versionAttribute)
		if err != nil {
			return nil, false, err
		}
		now := e.GetEqualFoldAttributeValue(versionAttribute)
		switch {
		case now == "":
			return nil, false, fmt.Errorf("%s: %s: %w", dn, attribute, errNoVersion)
		case next > 0 && now != version:
			return nil, false, nil
		}
		version = now
		var values []string
		values, next = valuesIn(e, attribute)
		if all = append(all, values...); next == 0 {
			return all, true, nil
		}
	}
	return nil, false, nil
}

// valuesIn returns what e has of an attribute, and the number of the first value that it lacks; 0: it has the last one.
func valuesIn(e *ldap.Entry, attribute string) (values []string, next int) {
	for _, a := range e.Attributes {
		name, bounds, _ := strings.Cut(strings.ToLower(a.Name), ";range=")
		if !strings.EqualFold(name, attribute) || len(a.Values) == 0 {
			continue // beside a range stands the plain name, without a value
		}
		_, last, _ := strings.Cut(bounds, "-")
		if end, err := strconv.Atoi(last); err == nil {
			next = end + 1
		}
		return a.Values, next
	}
	return nil, 0
}
