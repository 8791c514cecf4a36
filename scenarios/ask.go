package scenarios

import "passback/writeback/protocol"

// A Way is a way into the cloud.
type Way string

// The ways in, as a person, an administrator or a program finds them.
const (
	PortalReset       Way = "portal, forgotten password"
	AccessPanelChange Way = "access panel, current password known"
	ForcedChange      Way = "sign-in, password expired or must change"
	AdminPortalReset  Way = "administrator, Entra portal"
	GraphReset        Way = "administrator, Graph resetPassword"
	M365Reset         Way = "administrator, Microsoft 365 admin center"
	GraphChange       Way = "person, Graph changePassword"
	UnlockOnly        Way = "unlock without reset"
)

// An Ask is one request to the cloud.
type Ask struct {
	Way  Way
	User User
	Old  protocol.Secret // where the way asks for it
	New  protocol.Secret // all but UnlockOnly
}

// An Answer is what the caller was told, in the same call.
type Answer struct {
	Outcome    protocol.Outcome
	Changed    protocol.Changed
	Violation  *protocol.Violation // of policyViolation
	Notes      []protocol.Note
	TrackingID protocol.TrackingID // empty where nothing was sent
	Code       string              // SSPR code, or the gate that refused
	Text       string              // for the person
	// NotWrittenBack: the answer says that this way does not reach the directory.
	NotWrittenBack bool
}
