package targets

import (
	"context"
	"fmt"

	"passback/scenarios"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// ways are the cloud's names of the ways in; that through Graph is taken over HTTP.
var ways = map[scenarios.Way]cloud.Way{
	scenarios.PortalReset:       cloud.PortalReset,
	scenarios.AccessPanelChange: cloud.AccessPanel,
	scenarios.ForcedChange:      cloud.ForcedChange,
	scenarios.AdminPortalReset:  cloud.AdminReset,
	scenarios.M365Reset:         cloud.AdminCenterReset,
	scenarios.GraphChange:       cloud.GraphChange,
	scenarios.UnlockOnly:        cloud.UnlockAlone,
}

// byAdministrator are the ways that an administrator takes, asksForOld those that want the current password.
var (
	byAdministrator = map[scenarios.Way]bool{scenarios.AdminPortalReset: true, scenarios.M365Reset: true}
	asksForOld      = map[scenarios.Way]bool{scenarios.AccessPanelChange: true, scenarios.ForcedChange: true, scenarios.GraphChange: true}
)

// Ask implements scenarios.Target.
func (t *target) Ask(ctx context.Context, a scenarios.Ask) (scenarios.Answer, error) {
	if a.Way == scenarios.GraphReset {
		return t.graphReset(ctx, a)
	}
	ask := cloud.Ask{Way: ways[a.Way], User: a.User.UPN, Old: a.Old, New: a.New}
	if byAdministrator[a.Way] {
		ask.Actor = t.world.AdminUPN()
	}
	if !asksForOld[a.Way] {
		ask.Old = protocol.Secret{}
	}
	r := t.world.Cloud.Perform(ctx, ask)
	return scenarios.Answer{
		Outcome: r.Outcome, Changed: r.Changed, Violation: r.Violation, Notes: r.Notes, TrackingID: r.TrackingID,
		Code: r.SSPR, Text: r.Text, NotWrittenBack: r.Warning != "",
	}, nil
}

// SignIn implements scenarios.Target.
func (t *target) SignIn(ctx context.Context, u scenarios.User, password protocol.Secret) (scenarios.SignIn, error) {
	switch s := t.world.Cloud.SignIn(ctx, u.UPN, password); s.Status {
	case cloud.SignedIn:
		return scenarios.SignIn{Accepted: true}, nil
	case cloud.SignInChange:
		return scenarios.SignIn{Accepted: true, MustChange: true}, nil
	case cloud.SignInUnreachable:
		return scenarios.SignIn{}, fmt.Errorf("sign in as %s: %s", u.UPN, s.Text)
	}
	return scenarios.SignIn{}, nil
}

// SwitchWriteback implements scenarios.Target.
func (t *target) SwitchWriteback(_ context.Context, on bool) error {
	s := t.world.Cloud.Settings()
	s.Writeback = on
	return t.world.Cloud.SetSettings(s)
}

// FailNextCopy implements scenarios.Target.
func (t *target) FailNextCopy(context.Context) error {
	t.world.Cloud.FailCloudWrites(1)
	return nil
}

// Synchronise implements scenarios.Target.
func (t *target) Synchronise(ctx context.Context) error { return t.world.Synchronise(ctx) }

// EnrolmentToken implements scenarios.Target.
func (t *target) EnrolmentToken(context.Context) (protocol.Secret, error) {
	return t.world.Cloud.NewEnrolToken(cloud.TokenLifetime), nil
}

// Alive implements scenarios.Target.
func (t *target) Alive(context.Context) ([]string, error) {
	var alive []string
	for _, a := range t.world.Cloud.Agents() {
		if a.Alive {
			alive = append(alive, a.ID)
		}
	}
	return alive, nil
}
