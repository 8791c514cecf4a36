package cloud

import "passback/writeback/protocol"

// A Result is what the person who asked reads, in the same call.
type Result struct {
	Way        Way                 `json:"way"`
	User       string              `json:"user"` // UPN, or what was asked for
	TrackingID protocol.TrackingID `json:"trackingId,omitempty"`
	Outcome    protocol.Outcome    `json:"outcome"`
	Changed    protocol.Changed    `json:"changed"` // what the outcome says of the password's authority
	Reason     string              `json:"reason"`  // the cloud's name of it, as the audit log shows it
	SSPR       string              `json:"sspr,omitempty"`
	AADSTS     int                 `json:"aadsts,omitempty"`
	Text       string              `json:"text"`      // for the person
	AdminText  string              `json:"adminText"` // for the administrator

	Sent       bool                `json:"sent"`                 // a request left the cloud
	Gate       *Gate               `json:"gate,omitempty"`       // that refused it in the cloud
	Violation  *protocol.Violation `json:"violation,omitempty"`  // of policyViolation, from the agent
	Notes      []protocol.Note     `json:"notes,omitempty"`      // of a success
	DC         string              `json:"dc,omitempty"`         // that decided
	Detail     string              `json:"detail,omitempty"`     // the directory's own words, for the administrator
	AgentID    string              `json:"agentId,omitempty"`    // that answered
	Warning    string              `json:"warning,omitempty"`    // of what is not written back
	MustChange bool                `json:"mustChange,omitempty"` // the password is temporary
}

// Succeeded reports whether the password, or the lock, is what was asked for.
func (r Result) Succeeded() bool { return r.Changed == protocol.ChangedYes }

const aadstsBanned = 120018 // PasswordChangeDoesnotComplyFuzzyPolicy

// decided fills in what the table of outcomes says.
func (r Result) decided(o protocol.Outcome) Result {
	info := o.Info()
	r.Outcome, r.Changed, r.Reason, r.SSPR, r.AADSTS = o, info.Changed, info.Name, info.SSPR, info.AADSTS
	r.Text, r.AdminText = info.UserText(r.TrackingID), info.AdminText(r.TrackingID)
	return r
}

func (r Result) refusedBy(g *Gate) Result {
	r = r.decided(g.Outcome)
	r.Gate, r.Reason, r.Text, r.AdminText = g, g.Name, g.User, g.Admin
	if g.SSPR != "" {
		r.SSPR = g.SSPR
	}
	if g == &gateBanned {
		r.AADSTS = aadstsBanned
	}
	return r
}
