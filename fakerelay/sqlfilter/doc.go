// Package sqlfilter reads and evaluates the SQL-like language of Service Bus rules: the conditions of filters and the
// statements of actions ("Subscription Rule SQL Filter Syntax", "Subscription Rule SQL Action Syntax").
//
// Logic is three-valued: what a missing property makes of a comparison is neither true nor false, and a message is
// selected by true only. An operator whose operands do not go together is an error of that evaluation, as C#'s
// conversions have it; strings are compared byte by byte, case included. Left out: JMS message selectors.
package sqlfilter
