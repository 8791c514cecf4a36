package cloud

import (
	"slices"

	"passback/writeback/protocol"
)

// The gates, in the order of Entra's "How it works: self-service password reset", each with the number of its
// troubleshooting page. All of them are asked before a person has to prove anything, and before anything is sent.

// A Gate is a refusal of the cloud's own: nothing was sent, nothing changed.
type Gate struct {
	Name    string           `json:"name"`           // Entra's identifier where it has one
	SSPR    string           `json:"sspr,omitempty"` // its number, as the portal shows it
	User    string           `json:"user"`           // text for the person
	Admin   string           `json:"admin"`          // text for the administrator
	Outcome protocol.Outcome `json:"-"`
}

const askAdmin = " There is nothing more that you can do here: contact your administrator."

// The gates.
var (
	gateUserUnknown = Gate{Name: "UserNotFound", Outcome: protocol.UserNotFound,
		User:  "There is no account of this name. Check how you wrote it.",
		Admin: "No user of the tenant has this name. A directory's users are here after a synchronisation."}
	gateNotConfigured = Gate{Name: "NotConfigured", SSPR: "SSPR_0009", Outcome: protocol.InvalidRequest,
		User:  "Password reset is not set up for your organisation yet." + askAdmin,
		Admin: "No user was synchronised yet. Synchronise the directory first."}
	gateDisabled = Gate{Name: "TenantSSPRFlagDisabled", SSPR: "SSPR_0009", Outcome: protocol.InvalidRequest,
		User:  "Password reset is switched off for your organisation." + askAdmin,
		Admin: "Self-service password reset is set to none."}
	gateNoPolicy = Gate{Name: "SsprNotEnabledInUserPolicy", SSPR: "SSPR_0011", Outcome: protocol.InvalidRequest,
		User:  "Your organisation has not defined how passwords are reset." + askAdmin,
		Admin: "No authentication method is allowed for password reset."}
	gateUnlicensed = Gate{Name: "UserNotLicensed", SSPR: "SSPR_0012", Outcome: protocol.InvalidRequest,
		User:  "Your account has no licence for password reset." + askAdmin,
		Admin: "The user has no licence that includes password writeback."}
	gateOutOfScope = Gate{Name: "UserNotMemberOfScopedAccessGroup", SSPR: "SSPR_0013", Outcome: protocol.InvalidRequest,
		User:  "Password reset is not enabled for you." + askAdmin,
		Admin: "The user is not a member of the group that password reset is enabled for."}
	gateUnregistered = Gate{Name: "UserNotProperlyConfigured", SSPR: "SSPR_0014", Outcome: protocol.InvalidRequest,
		User:  "You have not registered enough ways to prove who you are." + askAdmin,
		Admin: "The user has registered fewer authentication methods than the tenant asks for."}
	gateUnlockAlone = Gate{Name: "AccountUnlockNotEnabled", Outcome: protocol.InvalidRequest,
		User:  "Your organisation unlocks an account only together with a password reset.",
		Admin: "\"Allow users to unlock accounts without resetting their password\" is set to no."}
	gateCloudOnly = Gate{Name: "PasswordManagedInCloud", Outcome: protocol.InvalidRequest,
		User:  "Your account is not locked by an on-premises directory.",
		Admin: "The user's password is the cloud's own: there is nothing to unlock on-premises."}
	gateWritebackOff = Gate{Name: "WritebackNotEnabled", SSPR: "SSPR_0010", Outcome: protocol.WritebackUnavailable,
		User:  "Your password is managed on-premises, and cannot be changed from here." + askAdmin,
		Admin: "\"Write back passwords to your on-premises directory\" is off."}
	gateAdminAction = Gate{Name: "OnPremisesAdminActionRequired", SSPR: "SSPR_0029", Outcome: protocol.WritebackUnavailable,
		User:  "Your organisation's password service needs attention. Contact your administrator.",
		Admin: "Agents beat, but none takes requests for this user's domain: see each agent's reason."}
	gateUnreachable = Gate{Name: "OnPremisesConnectivityError", SSPR: "SSPR_0030", Outcome: protocol.WritebackUnavailable,
		User:  "Your organisation's password service cannot be reached now. Nothing was changed. Try again later.",
		Admin: "No enrolled, active agent with a usable domain controller has beaten within two intervals."}
	gateNotAdmin = Gate{Name: "InsufficientPrivileges", Outcome: protocol.InvalidRequest,
		User:  "Only an administrator may reset the password of somebody else.",
		Admin: "The actor is not an administrator of the tenant."}
	gateOwnAccount = Gate{Name: "OwnAccount", Outcome: protocol.InvalidRequest,
		User:  "An administrator's reset is for others: change your own password instead.",
		Admin: "The actor and the user are the same account."}
	gateBusy = Gate{Name: "OperationInProgress", Outcome: protocol.Throttled,
		User:  "Another request for this account is on its way. Wait for its outcome, then try again.",
		Admin: "One operation a user at a time: another one has not ended."}
	gateBanned = Gate{Name: "FuzzyPolicyViolationInvalidPassword", Outcome: protocol.PolicyViolation,
		User:  "This password contains a word or a pattern that makes it easy to guess. Choose another one.",
		Admin: "The password is on the tenant's or the global list of banned passwords. Nothing was sent on-premises."}
	gateNotRequired = Gate{Name: "PasswordChangeNotRequired", Outcome: protocol.InvalidRequest,
		User:  "Your password need not be changed: sign in with it.",
		Admin: "A forced change belongs to a sign-in whose password is expired or must be changed."}
	gateBadPassword = Gate{Name: "InvalidPassword", Outcome: protocol.InvalidRequest,
		User:  "A password has 1 to 256 characters.",
		Admin: "The new or the current password is missing, or longer than Active Directory takes."}
)

// selfService are the gates of a reset and an unlock by the person.
var selfService = []struct {
	closed func(t *Tenant, a *account) bool
	gate   *Gate
}{
	{func(t *Tenant, _ *account) bool { return len(t.directories) > 0 && t.synced.IsZero() }, &gateNotConfigured},
	{func(t *Tenant, _ *account) bool { return t.settings.SSPR == "" || t.settings.SSPR == ScopeNone }, &gateDisabled},
	{func(_ *Tenant, a *account) bool { return a == nil }, &gateUserUnknown},
	{func(t *Tenant, _ *account) bool { return len(t.settings.Methods) == 0 }, &gateNoPolicy},
	{func(_ *Tenant, a *account) bool { return !a.Licensed }, &gateUnlicensed},
	{func(t *Tenant, a *account) bool { return t.settings.SSPR == ScopeSelected && !t.inScope(a) }, &gateOutOfScope},
	{func(t *Tenant, a *account) bool { return len(a.Methods) < max(t.settings.MethodsRequired, 1) }, &gateUnregistered},
}

func (t *Tenant) inScope(a *account) bool { return slices.Contains(a.Groups, t.settings.ScopeGroup) }

// gate asks them all for one way in, and needs t.mu. A nil gate is open.
func (t *Tenant) gate(w way, a *account) *Gate {
	if w.selfService {
		for _, g := range selfService {
			if g.closed(t, a) {
				return g.gate
			}
		}
	}
	switch {
	case a == nil:
		return &gateUserUnknown
	case w.operation == protocol.Unlock && !t.settings.UnlockAlone:
		return &gateUnlockAlone
	case w.operation == protocol.Unlock && a.Model == CloudOnly:
		return &gateCloudOnly
	case !w.writtenBack || a.Model == CloudOnly:
		return nil
	case !t.settings.Writeback:
		return &gateWritebackOff
	}
	_, g := t.route(a.Domain)
	return g
}

// actorGate holds an administrator's ways to administrators, and needs t.mu.
func (t *Tenant) actorGate(w way, actor string, a *account) *Gate {
	if !w.byAdmin() {
		return nil
	}
	by := t.find(actor)
	switch {
	case by != nil && by == a:
		return &gateOwnAccount
	case by == nil || !by.Admin:
		return &gateNotAdmin
	}
	return nil
}

// Check asks the gates alone, as a page does before a person proves who they are. A nil gate is open.
func (t *Tenant) Check(w Way, idOrUPN string) *Gate {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.gate(ways[w], t.find(idOrUPN))
}
