package writeback

// Which account a request means, and the calls on the one controller that it names.

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"passback/writeback/directory"
	"passback/writeback/protocol"
)

// elsewhereTimeout bounds the look into other domains for an account with the same anchor.
const elsewhereTimeout = 3 * time.Second

// outcomeOf says what the directory's refusals are called.
var outcomeOf = map[directory.Kind]protocol.Outcome{
	directory.Other:         protocol.InternalError,
	directory.Unreachable:   protocol.DirectoryUnavailable,
	directory.BindRefused:   protocol.DirectoryMisconfigured,
	directory.Stale:         protocol.DirectoryMisconfigured, // nothing was removed, so the marker's attribute does not exist
	directory.PolicyRefused: protocol.PolicyViolation,
	directory.WrongPassword: protocol.IncorrectPassword,
	directory.LockedOut:     protocol.AccountLockedOut,
	directory.CannotChange:  protocol.CannotChange,
	directory.Denied:        protocol.AccessDenied,
	directory.Misconfigured: protocol.DirectoryMisconfigured,
	directory.Busy:          protocol.Throttled,
	directory.Unavailable:   protocol.DirectoryUnavailable,
	directory.NoSuchUser:    protocol.UserNotFound,
}

// refusalOf is an error of the directory as a refusal. What the agent refused before is said first.
func (at *attempt) refusalOf(err error) decision {
	if at.refusal != "" {
		return decision{outcome: at.refusal, detail: at.detail}
	}
	d := decision{outcome: outcomeOf[directory.KindOf(err)], detail: err.Error()}
	if d.outcome == protocol.DirectoryMisconfigured {
		d.engine = d.detail
	}
	return d
}

func (a *applier) domainOf(name string) *directory.Domain {
	i := slices.IndexFunc(a.domains, func(d *directory.Domain) bool { return strings.EqualFold(d.Name(), name) })
	if i < 0 {
		return nil
	}
	return a.domains[i]
}

// find reads the accounts of the request's own domain that carry its anchor.
func (at *attempt) find(ctx context.Context) (users []directory.User, err error) {
	anchor, err := at.anchor()
	if err != nil {
		return nil, err
	}
	ctx, span := at.telemetry.span(ctx, "find")
	defer span.End()
	at.conn, users, err = at.domain.Find(ctx, at.request.DC, anchor)
	return users, err
}

// choose picks the one enabled account. An enabled account of another domain with the same anchor makes it two: a
// domain that cannot be asked now does not count, since the request itself names the domain.
func (at *attempt) choose(ctx context.Context, users []directory.User) (directory.User, decision) {
	enabled := slices.DeleteFunc(slices.Clone(users), func(u directory.User) bool { return !u.Enabled })
	foreign := at.elsewhere(ctx)
	switch {
	case len(enabled)+len(foreign) > 1 && len(enabled) > 0:
		return directory.User{}, decision{outcome: protocol.MultipleMatches, detail: fmt.Sprintf("%d enabled accounts carry the anchor: %s", len(enabled)+len(foreign), names(enabled, foreign))}
	case len(enabled) == 1:
		return enabled[0], decision{}
	case len(users) > 0:
		return directory.User{}, decision{outcome: protocol.AccountDisabled, detail: users[0].DN + " is disabled"}
	}
	d := decision{outcome: protocol.UserNotFound, detail: "no account of " + at.request.Domain + " carries the anchor"}
	if len(foreign) > 0 {
		d.detail += ", but one of another domain does: " + names(nil, foreign)
	}
	return directory.User{}, d
}

func names(lists ...[]directory.User) string {
	var dns []string
	for _, list := range lists {
		for _, u := range list {
			dns = append(dns, u.DN)
		}
	}
	return strings.Join(dns, "; ")
}

// elsewhere returns the enabled accounts of other domains that carry the anchor.
func (at *attempt) elsewhere(ctx context.Context) (enabled []directory.User) {
	anchor, err := at.anchor()
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, elsewhereTimeout)
	defer cancel()
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, d := range at.domains {
		if d == at.domain || d.Current() == "" {
			continue
		}
		all.Go(func() {
			users, err := look(ctx, d, anchor)
			if err != nil {
				at.log.Warn("could not look for the same anchor in another domain", "domain", d.Name(), "error", err)
			}
			mu.Lock()
			defer mu.Unlock()
			enabled = append(enabled, slices.DeleteFunc(users, func(u directory.User) bool { return !u.Enabled })...)
		})
	}
	all.Wait()
	return enabled
}

func look(ctx context.Context, d *directory.Domain, anchor []byte) ([]directory.User, error) {
	c, err := d.Open(ctx, d.Current())
	if err != nil {
		return nil, err
	}
	defer c.Release()
	return c.Find(ctx, anchor)
}

// connect makes sure of a connection to the request's own controller, and to no other.
func (at *attempt) connect(ctx context.Context) (err error) {
	if at.conn == nil {
		at.conn, err = at.domain.Open(ctx, at.request.DC)
	}
	return err
}

func (at *attempt) release() {
	if at.conn != nil {
		at.conn.Release()
		at.conn = nil
	}
}

// modify sends m, and keeps in mind when no result came.
func (at *attempt) modify(ctx context.Context, u directory.User, m directory.Modification) error {
	if err := at.connect(ctx); err != nil {
		return err
	}
	ctx, span := at.telemetry.span(ctx, "modify")
	err := at.conn.Modify(ctx, u, m)
	span.End()
	switch directory.KindOf(err) {
	case directory.NoAnswer:
		at.doubt = true
		at.release()
	case directory.Unreachable:
		at.release()
	}
	return err
}

// read reads u again.
func (at *attempt) read(ctx context.Context, u directory.User) (directory.User, error) {
	if err := at.connect(ctx); err != nil {
		return u, err
	}
	return at.conn.Read(ctx, u.GUID)
}
