package cloud

import (
	"maps"
	"slices"

	"passback/writeback/protocol"
)

// A Way is a way in: who asks, where, and for what.
type Way string

// The ways in.
const (
	PortalReset      Way = "portalReset"      // password forgotten
	AccessPanel      Way = "accessPanel"      // current password known
	ForcedChange     Way = "forcedChange"     // at a sign-in: expired or must be changed
	AdminReset       Way = "adminReset"       // in Entra's portal
	GraphReset       Way = "graphReset"       // Graph resetPassword
	AdminCenterReset Way = "adminCenterReset" // Microsoft 365 administration: not written back
	GraphChange      Way = "graphChange"      // Graph changePassword: not written back
	UnlockAlone      Way = "unlock"           // without a reset
)

type way struct {
	name        Way
	operation   protocol.Operation
	activity    Activity
	writtenBack bool
	selfService bool   // by a person who cannot sign in: all gates
	needsOld    bool   // the current password
	mustChange  bool   // what an administrator sets is temporary
	warning     string // of what is not written back
}

const (
	warnAdminCenter = "Microsoft 365 administration does not write passwords back: only the cloud's copy changed. " +
		"The on-premises password is the old one and still works there. Reset in Microsoft Entra instead."
	warnGraphChange = "Microsoft Graph changePassword is not written back: only the cloud's copy changed. " +
		"The on-premises password is the old one and still works there."
	warnNoCopy = " This user's sign-ins are checked by the directory, so the cloud keeps no copy: nothing changed at all."
)

// ways is the table of what is supported, and what is not ("Supported writeback operations").
var ways = map[Way]way{
	PortalReset:      {operation: protocol.Reset, activity: ActivityReset, writtenBack: true, selfService: true},
	AccessPanel:      {operation: protocol.Change, activity: ActivityChange, writtenBack: true, needsOld: true},
	ForcedChange:     {operation: protocol.Change, activity: ActivityChange, writtenBack: true, needsOld: true},
	AdminReset:       {operation: protocol.AdminReset, activity: ActivityAdminReset, writtenBack: true, mustChange: true},
	GraphReset:       {operation: protocol.AdminReset, activity: ActivityAdminReset, writtenBack: true, mustChange: true},
	AdminCenterReset: {operation: protocol.AdminReset, activity: ActivityCloudReset, mustChange: true, warning: warnAdminCenter},
	GraphChange:      {operation: protocol.Change, activity: ActivityCloudChange, needsOld: true, warning: warnGraphChange},
	UnlockAlone:      {operation: protocol.Unlock, activity: ActivityUnlock, writtenBack: true, selfService: true},
}

func init() {
	for name, w := range ways {
		w.name = name
		ways[name] = w
	}
}

// Known reports whether w is a way in.
func (w Way) Known() bool { _, known := ways[w]; return known }

// byAdmin reports whether the actor must be an administrator, and another than the user.
func (w way) byAdmin() bool { return w.operation == protocol.AdminReset }

// Ways lists them all, by name.
func Ways() []Way { return slices.Sorted(maps.Keys(ways)) }
