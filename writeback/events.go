package writeback

// The event log: source PasswordResetService, ids, names and message formats as Entra Connect writes them to the
// Windows Application log (Microsoft's page "Troubleshoot self-service password reset writeback", and support
// articles that quote whole messages). Entra documents no event for an unlock, nor for what is this project's own:
// those have ids from 34001. An id with two spellings, such as 31001 PasswordResetStart, whose message says
// PasswordResetRequestStart, has both here too.

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"passback/writeback/protocol"
)

// An eventKind is a row of the log's table.
type eventKind struct {
	protocol.Event
	level slog.Level
}

func info(id int, name string) eventKind {
	return eventKind{protocol.Event{ID: id, Name: name}, slog.LevelInfo}
}

func warn(id int, name string) eventKind {
	return eventKind{protocol.Event{ID: id, Name: name}, slog.LevelWarn}
}

func fail(id int, name string) eventKind {
	return eventKind{protocol.Event{ID: id, Name: name}, slog.LevelError}
}

var (
	eventOnboardingStart    = info(31004, "OnboardingEventStart")
	eventOnboardingSuccess  = info(31005, "OnboardingEventSuccess")
	eventOffboardingStart   = info(31012, "OffboardingEventStart")
	eventOffboardingSuccess = info(31013, "OffboardingEventSuccess")
	eventOffboardingFail    = fail(31014, "OffboardingEventFail")
	eventStarted            = info(31015, "WriteBackServiceStarted")
	eventStopped            = info(31016, "WriteBackServiceStopped")
	eventKeyPairCreated     = info(31018, "KeyPairCreationSuccess")
	eventHeartbeat          = info(31019, "ServiceBusHeartBeat")
	eventListenerError      = fail(31034, "ServiceBusListenerError")
	eventUnhealthy          = fail(31044, "PasswordResetService")
	eventServiceError       = fail(32001, "ServiceError")
	eventServiceBusError    = fail(32002, "ServiceBusError")
	eventInvalid            = fail(32003, "InPutValidationError")
	eventDecryptionError    = fail(32004, "DecryptionError")
	eventConfigurationError = fail(32005, "ConfigurationError")
	eventCryptoError        = fail(32010, "CryptoError")
	eventOnboardingError    = fail(32011, "OnBoardingServiceError")
	eventServiceBusWarning  = warn(32014, "ServiceBusWarning")
	eventHealthError        = fail(32015, "ReportServiceHealthError")
	eventEngine             = fail(6329, "ADSync")
	eventClockSkew          = fail(34020, "ClockSkew")
	eventNotSettled         = warn(34021, "RequestNotSettled")
	eventDirectoryChanged   = info(34022, "DirectoryChanged")
	eventRenewed            = info(34023, "EnrolmentRenewed")
	eventReloaded           = info(34024, "ConfigurationReloaded")
)

// operationEvents are the first and the last event of each operation.
var operationEvents = map[protocol.Operation]struct {
	start, success, fail eventKind
	startText            string
}{
	protocol.Reset:      {info(31001, "PasswordResetStart"), info(31002, "PasswordResetSuccess"), fail(31003, "PasswordResetFail"), "PasswordResetRequestStart"},
	protocol.Change:     {info(31006, "ChangePasswordStart"), info(31007, "ChangePasswordSuccess"), fail(31008, "ChangePasswordFail"), "ChangePasswordRequestStart"},
	protocol.AdminReset: {info(31009, "ResetUserPasswordByAdminStart"), info(31010, "ResetUserPasswordByAdminSuccess"), fail(31011, "ResetUserPasswordByAdminFail"), "ResetUserPasswordByAdminStart"},
	protocol.Unlock:     {info(34001, "UnlockAccountStart"), info(34002, "UnlockAccountSuccess"), fail(34003, "UnlockAccountFail"), "UnlockAccountRequestStart"},
}

// A logbook writes events.
type logbook struct {
	*slog.Logger
	record *record        // is told of errors
	level  *slog.LevelVar // has no effect where the configuration gives a logger
}

func newLogbook(c Config) logbook {
	l := logbook{c.Logger, &record{}, new(slog.LevelVar)}
	l.adopt(c.Log)
	if c.Logger == nil {
		l.Logger = newLogger(os.Stderr, c.Log, l.level)
	}
	return l
}

// adopt takes another level; the format stays.
func (l logbook) adopt(c Log) { setLevel(l.level, c) }

// event writes one event; args are slog's.
func (l logbook) event(k eventKind, message string, args ...any) {
	source := "PasswordResetService"
	if k.ID == eventEngine.ID {
		source = "ADSync"
	}
	if k.level >= slog.LevelError {
		l.record.failed(k, message)
	}
	args = append([]any{"event_id", k.ID, "event", k.Name, "source", source}, args...)
	l.Log(context.Background(), k.level, message, args...)
}

// started writes the first event of a request.
func (l logbook) started(r protocol.Request, d delivery) {
	k := operationEvents[r.Operation]
	l.event(k.start, fmt.Sprintf("TrackingId: %s, %s, Details: %s", r.TrackingID, k.startText, r.UPN),
		"tracking_id", r.TrackingID, "upn", r.UPN, "actor", r.Actor, "dc", r.DC, "delivery", d.count)
}

// decided writes what became of a request: success, or the reason and then the failure of the operation.
func (l logbook) decided(r protocol.Request, d decision) {
	k, row := operationEvents[r.Operation], d.outcome.Info()
	args := []any{"tracking_id", r.TrackingID, "upn", r.UPN, "outcome", d.outcome, "dc", d.dc}
	if d.detail != "" {
		args = append(args, "detail", d.detail)
	}
	if d.outcome == protocol.Success {
		l.event(k.success, fmt.Sprintf("TrackingId: %s, %s, Details: %s%s", r.TrackingID, k.success.Name, subject(r), extras(r)), args...)
		return
	}
	if v := d.violation; v != nil {
		args = append(args, "rule", v.Rule, "certainty", v.Certainty)
	}
	if d.engine != "" {
		l.event(eventEngine, "BAIL: "+d.engine, "tracking_id", r.TrackingID)
	}
	reason := eventKind{row.Event, slog.LevelWarn}
	if row.SSPR != "" || row.Changed == protocol.ChangedMaybe {
		reason.level = slog.LevelError // somebody must act
	}
	text := fmt.Sprintf("TrackingId: %s, Reason: %s., %s, Details: %s", r.TrackingID, reasonText(row), subject(r), d.detail)
	l.event(reason, text, args...)
	if row.Changed == protocol.ChangedNo {
		l.event(k.fail, fmt.Sprintf("TrackingId: %s, %s, Details: %s", r.TrackingID, k.fail.Name, subject(r)), args...)
	}
}

func reasonText(row protocol.OutcomeInfo) string {
	if row.HRESULT == 0 {
		return row.Name
	}
	return fmt.Sprintf("Synchronization Engine returned an error hr=%08X, message=%s", row.HRESULT, engineTexts[row.HRESULT])
}

func subject(r protocol.Request) string {
	var admin string
	if r.Operation == protocol.AdminReset {
		admin = "AdminUpn: " + r.Actor + ", "
	}
	return fmt.Sprintf("Context: cloudAnchor: %s, SourceAnchorValue: %s, %sUserPrincipalName: %s", r.CloudAnchor, r.SourceAnchor, admin, r.UPN)
}

func extras(r protocol.Request) string {
	switch r.Operation {
	case protocol.Reset:
		return ", unblockUser: " + dotNetBool(r.Unlock)
	case protocol.AdminReset:
		return ", ForcePasswordChange: " + dotNetBool(r.MustChange)
	}
	return ""
}

func dotNetBool(b bool) string {
	if b {
		return "True"
	}
	return "False"
}

func skewText(skew time.Duration) string {
	direction := "ahead of"
	if skew < 0 {
		direction = "behind"
	}
	return fmt.Sprintf("The agent's clock is %s %s the cloud's; it takes no requests beyond %s. Synchronise the host's clock.",
		skew.Abs().Round(time.Millisecond), direction, protocol.MaxClockSkew)
}
