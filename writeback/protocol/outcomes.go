package protocol

import (
	"slices"
	"strings"
)

// The outcomes of a request, what each means and how each is told: the one table. Names and numbers are Entra's
// own where it has published them (the troubleshooting page of SSPR writeback, the AADSTS error codes); the
// pairing of an event with what the cloud shows is inferred from those. Event ids from 34001 are this project's.

// An Outcome is the name of a row of the table.
type Outcome string

// The outcomes.
const (
	Success                Outcome = "success"
	PolicyViolation        Outcome = "policyViolation"
	IncorrectPassword      Outcome = "incorrectPassword"
	UserNotFound           Outcome = "userNotFound"
	MultipleMatches        Outcome = "multipleMatches"
	AccessDenied           Outcome = "accessDenied"
	ProtectedAccount       Outcome = "protectedAccount"
	AccountDisabled        Outcome = "accountDisabled"
	AccountLockedOut       Outcome = "accountLockedOut"
	CannotChange           Outcome = "cannotChange"
	DirectoryUnavailable   Outcome = "directoryUnavailable"
	DirectoryMisconfigured Outcome = "directoryMisconfigured"
	DecryptionFailed       Outcome = "decryptionFailed"
	Expired                Outcome = "expired"
	InvalidRequest         Outcome = "invalidRequest"
	Throttled              Outcome = "throttled"
	Superseded             Outcome = "superseded"
	CloudWriteFailed       Outcome = "cloudWriteFailed"
	WritebackUnavailable   Outcome = "writebackUnavailable"
	Unknown                Outcome = "unknown"
	InternalError          Outcome = "internalError"
)

// Changed is what an outcome says of the directory.
type Changed string

// Only ChangedNo may be told as a refusal.
const (
	ChangedNo    Changed = "no"
	ChangedYes   Changed = "yes"
	ChangedMaybe Changed = "maybe"
)

// An Event is a row of the event log: source PasswordResetService, or ADSync for 6329.
type Event struct {
	ID   int
	Name string
}

// OutcomeInfo is a row of the table. An empty SSPR or AADSTS code, or a zero HRESULT, means that there is none.
type OutcomeInfo struct {
	Outcome Outcome
	Changed Changed
	Event   Event  // the reason; the operation's own success or failure event is logged besides
	HRESULT uint32 // of the synchronisation engine, as administrators know it
	SSPR    string // what the portal shows
	AADSTS  int    // what a sign-in shows
	Name    string // the cloud's name of the result, as its audit log shows it
	User    string // text for the person; {id} is the tracking id
	Admin   string // text for the administrator; {id} is the tracking id
}

var outcomes = []OutcomeInfo{
	{Outcome: Success, Changed: ChangedYes, Event: Event{31002, "PasswordResetSuccess"}, Name: "Success",
		User:  "Your password has been updated.",
		Admin: "The directory took the change. Tracking id {id}."},
	{Outcome: PolicyViolation, Changed: ChangedNo, Event: Event{33008, "ADPasswordPolicyError"}, HRESULT: 0x80230619, AADSTS: 120004, Name: "OnPremisesPolicyViolation",
		User:  "This password does not meet your organisation's password policy. Choose another one.",
		Admin: "The directory's password policy refused the password: length, complexity, history, minimum age or a filter. Nothing changed. Tracking id {id}."},
	{Outcome: IncorrectPassword, Changed: ChangedNo, Event: Event{33007, "ADUserIncorrectPassword"}, HRESULT: 0x80070056, AADSTS: 120000, Name: "OnPremisesIncorrectPassword",
		User:  "The current password is not correct. Enter it again.",
		Admin: "The current password that the person gave is wrong. It counts towards lockout. Nothing changed. Tracking id {id}."},
	{Outcome: UserNotFound, Changed: ChangedNo, Event: Event{33002, "ADUserNotFoundError"}, HRESULT: 0x80230405, AADSTS: 120016, Name: "OnPremisesUserNotFound",
		User:  "We are unable to reset your password because your account information has changed on-premises. Please contact your administrator for support.",
		Admin: "No user with this source anchor in the domains that the agent serves. Check that the account exists and is in scope of synchronisation. Tracking id {id}."},
	{Outcome: MultipleMatches, Changed: ChangedNo, Event: Event{33003, "ADMutliMatchError"}, HRESULT: 0x80230402, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your password cannot be reset now. Contact your administrator, and give this number: {id}.",
		Admin: "Several enabled accounts carry this source anchor. Disable or correct all but one. Tracking id {id}."},
	{Outcome: AccessDenied, Changed: ChangedNo, Event: Event{33004, "ADPermissionsError"}, HRESULT: 0x80230626, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your password cannot be reset now. Contact your administrator, and give this number: {id}.",
		Admin: "The agent's account lacks a right on this user: Reset Password, write lockoutTime, write pwdLastSet, or read and write of the marker's attribute. Check inheritance too. Tracking id {id}."},
	{Outcome: ProtectedAccount, Changed: ChangedNo, Event: Event{33004, "ADPermissionsError"}, HRESULT: 0x80231367, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your account is protected, so its password cannot be reset here. Contact your administrator, and give this number: {id}.",
		Admin: "adminCount is 1: the account is, or was, a member of a protected group. Its password is not written back by design. Tracking id {id}."},
	{Outcome: AccountDisabled, Changed: ChangedNo, Event: Event{33005, "ADUserAccountDisabled"}, HRESULT: 0x80070533, AADSTS: 120014, Name: "OnPremisesUserAccountLockedOutOrDisabled",
		User:  "Your account is disabled. Contact your administrator.",
		Admin: "The account is disabled in the directory. Enable it first. Tracking id {id}."},
	{Outcome: AccountLockedOut, Changed: ChangedNo, Event: Event{33006, "ADUserAccountLockedOut"}, HRESULT: 0x80070775, AADSTS: 120014, Name: "OnPremisesUserAccountLockedOutOrDisabled",
		User:  "Your account is locked. Wait, or reset your password to unlock it.",
		Admin: "The account is locked out, so a change is refused. A reset unlocks it. Tracking id {id}."},
	{Outcome: CannotChange, Changed: ChangedNo, Event: Event{33004, "ADPermissionsError"}, HRESULT: 0x80230626, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your organisation does not allow you to change this password. Contact your administrator.",
		Admin: "\"User cannot change password\" is set on the account. Tracking id {id}."},
	{Outcome: DirectoryUnavailable, Changed: ChangedNo, Event: Event{33001, "ADUnKnownError"}, HRESULT: 0x80230818, SSPR: "SSPR_0030", AADSTS: 120013, Name: "OnPremisesConnectivityError",
		User:  "Your password could not be updated because of a temporary connectivity issue. Nothing was changed. Try again in a minute.",
		Admin: "The domain controller could not be reached or did not answer, and it is certain that nothing changed. Tracking id {id}."},
	{Outcome: DirectoryMisconfigured, Changed: ChangedNo, Event: Event{33009, "ADConfigurationError"}, HRESULT: 0x8023062C, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your password cannot be reset now. Contact your administrator, and give this number: {id}.",
		Admin: "The domain controller lacks what writeback needs: the password policy control, an encrypted connection, or a usable setting. Tracking id {id}."},
	{Outcome: DecryptionFailed, Changed: ChangedNo, Event: Event{32004, "DecryptionError"}, SSPR: "SSPR_0029", AADSTS: 120015, Name: "OnPremisesAdminActionRequired",
		User:  "Your password cannot be reset now. Contact your administrator, and give this number: {id}.",
		Admin: "The agent could not open what the cloud sealed: their keys differ. Enrol the agent again. Tracking id {id}."},
	{Outcome: Expired, Changed: ChangedNo, Event: Event{34010, "RequestExpired"}, SSPR: "SSPR_0030", AADSTS: 120013, Name: "OnPremisesConnectivityError",
		User:  "This took too long, and nothing was changed. Try again.",
		Admin: "The request reached the directory too late and was refused. Look for a slow relay, directory or clock. Tracking id {id}."},
	{Outcome: InvalidRequest, Changed: ChangedNo, Event: Event{32003, "InPutValidationError"}, AADSTS: 120020, Name: "InvalidRequest",
		User:  "Your password could not be updated. Contact your administrator, and give this number: {id}.",
		Admin: "The agent found the request invalid. Cloud and agent may be of different versions. Tracking id {id}."},
	{Outcome: Throttled, Changed: ChangedNo, Event: Event{34011, "RequestThrottled"}, SSPR: "SSPR_0030", AADSTS: 120013, Name: "OnPremisesConnectivityError",
		User:  "Too many requests at the moment. Nothing was changed. Try again in a minute.",
		Admin: "The agent or the directory was too busy to take the request. Tracking id {id}."},
	{Outcome: Superseded, Changed: ChangedNo, Event: Event{34012, "RequestSuperseded"}, AADSTS: 120020, Name: "Superseded",
		User:  "A newer request took the place of this one. Nothing was changed by this one.",
		Admin: "A later request of the same person was applied first, so this one can no longer be. Tracking id {id}."},
	{Outcome: CloudWriteFailed, Changed: ChangedYes, Event: Event{34013, "CloudWriteFailed"}, AADSTS: 120005, Name: "OnPremisesSuccessCloudFailure",
		User:  "Your password was successfully updated, but our servers take a little time to catch up. Please try signing in again in a few minutes.",
		Admin: "The directory took the password and the cloud's copy was not set. Synchronisation will bring it. Tracking id {id}."},
	{Outcome: WritebackUnavailable, Changed: ChangedNo, Event: Event{32002, "ServiceBusError"}, SSPR: "SSPR_0030", AADSTS: 120013, Name: "OnPremisesConnectivityError",
		User:  "Your organisation's password service cannot be reached now. Nothing was changed. Try again later.",
		Admin: "No active agent with a usable directory is alive, or the relay took nothing. Nothing was sent. Tracking id {id}."},
	{Outcome: Unknown, Changed: ChangedMaybe, Event: Event{34014, "OutcomeUnknown"}, SSPR: "SSPR_0030", AADSTS: 120013, Name: "OnPremisesConnectivityError",
		User:  "No answer came in time, so your new password may or may not be set. Try it, or start again.",
		Admin: "It is not known whether the directory took the change. A further request supersedes this one safely. Tracking id {id}."},
	{Outcome: InternalError, Changed: ChangedNo, Event: Event{32000, "UnknownError"}, SSPR: "SSPR_0030", AADSTS: 120021, Name: "InternalError",
		User:  "Something went wrong, and nothing was changed. Try again later, or give your administrator this number: {id}.",
		Admin: "The agent met an unexpected error, and nothing was changed. See its log. Tracking id {id}."},
}

// Outcomes returns the whole table, in order.
func Outcomes() []OutcomeInfo { return slices.Clone(outcomes) }

// Known reports whether o is a row of the table.
func (o Outcome) Known() bool {
	return slices.ContainsFunc(outcomes, func(i OutcomeInfo) bool { return i.Outcome == o })
}

// Info returns o's row; for a name that is not in the table, that of InternalError.
func (o Outcome) Info() OutcomeInfo {
	for _, i := range outcomes {
		if i.Outcome == o {
			return i
		}
	}
	return outcomes[len(outcomes)-1]
}

// UserText is the row's text for the person.
func (i OutcomeInfo) UserText(id TrackingID) string {
	return strings.ReplaceAll(i.User, "{id}", string(id))
}

// AdminText is the row's text for the administrator.
func (i OutcomeInfo) AdminText(id TrackingID) string {
	return strings.ReplaceAll(i.Admin, "{id}", string(id))
}
