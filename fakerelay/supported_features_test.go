package fakerelay

import (
	"strings"

	"passback/fakerelay/amqp"
	"passback/fakerelay/sqlfilter"
)

// What SUPPORTED.md says of what no table of the code names: what spans several, what is left out, what differs.
var features = []struct {
	title string
	rows  []string
}{
	{"Transports", []string{
		"AMQP over TLS | yes | any port; no ALPN",
		"plain AMQP | yes | any port, as the official emulator; tokens are verified here too",
		"AMQP over WebSocket | yes | any TLS port, `" + webSocketPath + "`, subprotocols " + strings.Join(webSocketSubprotocols, " and "),
		"HTTPS: management | yes | any TLS port",
		"HTTPS: sending and receiving (REST) | no | 405: the management API answers there",
		"SBMP (.NET Framework) | no |",
	}},
	{"AMQP", []string{
		strings.Join(amqp.Performatives(), ", ") + " | yes | AMQP 1.0 parts 2 and 5",
		"SASL mechanisms " + mechanismNames() + " | yes | EXTERNAL is offered and refused: there are no client certificates",
		"resuming deliveries (unsettled maps) | no | links begin anew, as the service's do",
		"transactions (coordinator) | no | refused with amqp:not-allowed, in the words of a namespace that has none",
		"rcv-settle-mode second, on links to the service | differs | settled together with the outcome: uamqp, unmodified, depends on it (its link.c)",
		"messages above max-message-size | yes | amqp:link:message-size-exceeded detaches, as Microsoft.Azure.Amqp does (ReceivingAmqpLink.cs)",
	}},
	{"Authority", []string{
		"rights | yes | Send and Listen at attach and at each request, Manage for the management API",
		"renewal and expiry | yes | an expired token ends the links that it authorised",
	}},
	{"Messaging", []string{
		"sessions, deferral, scheduling, peek, batches, dead letters, transfer dead letters, forwarding, duplicate detection, deletion on idle | yes |",
		"partitioned entities | partly | the property is kept; there is one partition",
		"geo-replication, private endpoints, customer-managed keys | no | there is no network and no disk to protect",
		"persistence | no | a restart forgets; WriteConfig keeps the entities",
	}},
	{"Rules", []string{
		"SQL filters: AND, OR, NOT, comparison, IS NULL, IN, LIKE with ESCAPE, EXISTS, + - * / %, parameters | yes | three-valued logic",
		"functions " + strings.Join(sqlfilter.Functions(), ", ") + " | yes |",
		"SQL actions: SET, REMOVE | yes |",
		"correlation filters, TrueFilter, FalseFilter | yes |",
		"JMS selectors | no |",
		"parameters of SQL filters | partly | by the management API and Options; the SDKs' rule managers send none over $management",
	}},
	{"Management over HTTPS (ATOM)", []string{
		"create, get, update, delete; lists with $top and $skip; runtime properties, authorization rules | yes |",
		"$filter, $orderby | no | ignored",
		"throttling | partly | only by a fault: 429 with SubCode 50004, as documented; Retry-After only where the fault says so",
		"API versions | differs | the parameter is not looked at; what is answered is that of 2024-05",
	}},
}

func mechanismNames() string {
	var names []string
	for _, m := range new(connection).mechanisms() {
		names = append(names, string(m.Name))
	}
	return strings.Join(names, ", ")
}

// tokenNotes are of tokenTypes.
var tokenNotes = map[string]string{
	sasTokenType: "yes | keys of the namespace and of entities, primary and secondary; expiry on package time",
	jwtTokenType: "differs | HS256 by a documented development key, given by the identity endpoint; audience and expiry are verified, there are no roles",
}

// endings are what links, connections and tokens are refused or ended with besides the errors of entities.
var endings = []refusal{
	{401, condAuthorizationFailed, textInvalidSignature},
	{401, condAuthorizationFailed, textExpiredToken},
	{401, condAuthorizationFailed, textInvalidAudience},
	{401, condAuthorizationFailed, textMalformedToken},
	{404, condEntityNotFound, textEntityNotFound},
	{401, amqp.CondUnauthorizedAccess, textUnauthorized},
	{0, amqp.CondDetachForced, textRenewToken},
	{0, amqp.CondDetachForced, textEntityGone},
	{0, amqp.CondDetachForced, textIdle},
	{0, amqp.CondConnectionForced, textLinkless},
	{0, condSessionCannotLock, textSessionLocked},
	{0, condTimeout, textNoSession},
	{501, amqp.CondNotImplemented, textNotSupported},
}

// The emulator's column is of its documents and issues; it was not run.
var emulator = []string{
	"needs | Docker, SQL Server, 2 GB | nothing: in the process, or one binary",
	"AMQP over TLS | no | yes",
	"WebSocket | no | yes",
	"management API | HTTP on port 5300, .NET | HTTPS on the same ports; Go, JavaScript and Python are tested",
	"tokens | one fixed key | keys and rights of the namespace and of entities; JSON web tokens",
	"entities, connections, namespaces | 50, 10, 1 | no bound but memory, 5000, one each object or process",
	"Config.json | yes | yes; unknown keys are named in a warning; export too",
	"reset, faults, time of one's own | no | yes",
}
