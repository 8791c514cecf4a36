package cloud

import (
	"slices"
	"time"

	"passback/writeback/protocol"
)

// The audit log of "Self-service Password Management", with the activities that Entra documents ("Reporting options
// for password management"). Times are the tenant's.

// An Activity is the name of a row.
type Activity string

// The activities that happen here.
const (
	ActivityPolicyChange Activity = "Self-service password reset policy changes"
	ActivityBlocked      Activity = "Blocked from self-service password reset"
	ActivityChange       Activity = "Change password (self-service)"
	ActivityAdminReset   Activity = "Reset password (by admin)"
	ActivityReset        Activity = "Reset password (self-service)"
	ActivityProgress     Activity = "Self-service password reset flow activity progress"
	ActivityUnlock       Activity = "Unlock user account (self-service)"
	ActivityCloudReset   Activity = "Reset user password"  // of the core directory: Microsoft 365 administration
	ActivityCloudChange  Activity = "Change user password" // of the core directory: Graph's changePassword
	ActivityRelayKeys    Activity = "Replace relay keys"   // our own: Entra replaces its keys without a row
)

// An AuditEntry is one row.
type AuditEntry struct {
	At         time.Time           `json:"at"`
	Activity   Activity            `json:"activity"`
	Success    bool                `json:"success"`
	Reason     string              `json:"reason"` // resultReason
	Actor      string              `json:"actor"`  // UPN
	Target     string              `json:"target"` // UPN; of ActivityRelayKeys the rule
	TrackingID protocol.TrackingID `json:"trackingId,omitempty"`
	Agent      string              `json:"onPremisesAgent"` // None, or the agent's name
}

// maxAudit rows are kept; the oldest make room.
const maxAudit = 10_000

// record needs t.mu.
func (t *Tenant) record(e AuditEntry) {
	e.At = t.clock.Now()
	if e.Agent == "" {
		e.Agent = "None"
	}
	if len(t.audit) >= maxAudit {
		t.audit = slices.Delete(t.audit, 0, maxAudit/10)
	}
	t.audit = append(t.audit, e)
}

// Audit returns the log, oldest first.
func (t *Tenant) Audit() []AuditEntry {
	t.mu.Lock()
	defer t.mu.Unlock()
	return slices.Clone(t.audit)
}
