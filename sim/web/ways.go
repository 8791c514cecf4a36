package web

import "passback/sim/cloud"

// A wayIn is how a page words a way in, and what it asks for.
type wayIn struct {
	Way      cloud.Way
	Title    string
	Explain  string
	Old, New bool // passwords to enter
	Admin    bool // done by an administrator
}

var waysIn = []wayIn{
	{cloud.PortalReset, "Forgotten password", "The person resets at the portal. The directory's whole policy applies, history and minimum age too, and the account is unlocked.", false, true, false},
	{cloud.AccessPanel, "Change, current password known", "The person changes at the access panel. The directory checks the current password.", true, true, false},
	{cloud.ForcedChange, "Forced change at sign-in", "The password has expired or must be changed. Old and new are asked for at the sign-in.", true, true, false},
	{cloud.UnlockAlone, "Unlock, keep the password", "The lock is lifted; the password stays.", false, false, false},
	{cloud.AdminReset, "Reset by an administrator", "From the Entra admin center. The password is temporary: it must be changed at the next sign-in.", false, true, true},
	{cloud.AdminCenterReset, "Reset in the Microsoft 365 admin center", "Not written back, as documented: the cloud's copy changes, the directory's does not.", false, true, true},
	{cloud.GraphChange, "Graph changePassword", "Not written back, as documented: the cloud's copy changes, the directory's does not.", true, true, false},
}

func findWay(name string) (wayIn, bool) {
	for _, w := range waysIn {
		if string(w.Way) == name {
			return w, true
		}
	}
	return wayIn{}, false
}
