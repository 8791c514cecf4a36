package fakerelay

// Filters and actions of rules in the management API, each with its kind in the attribute i:type.

import (
	"encoding/xml"
	"fmt"

	"passback/fakerelay/broker"
)

// The kinds.
const (
	typeTrueFilter        xsiType = "TrueFilter"
	typeFalseFilter       xsiType = "FalseFilter"
	typeSQLFilter         xsiType = "SqlFilter"
	typeCorrelationFilter xsiType = "CorrelationFilter"
	typeSQLAction         xsiType = "SqlRuleAction"
	typeNoAction          xsiType = "EmptyRuleAction"

	expressionTrue     = "1=1"
	expressionFalse    = "1=0"
	compatibilityLevel = 20

	textUnknownType = "The type '%s' of the rule's %s is not known"
)

type (
	filterDescription struct {
		XMLName            xml.Name   `xml:"Filter"`
		Type               xsiType    `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
		CorrelationID      string     `xml:"CorrelationId,omitempty"`
		MessageID          string     `xml:"MessageId,omitempty"`
		To                 string     `xml:"To,omitempty"`
		ReplyTo            string     `xml:"ReplyTo,omitempty"`
		Label              string     `xml:"Label,omitempty"`
		SessionID          string     `xml:"SessionId,omitempty"`
		ReplyToSessionID   string     `xml:"ReplyToSessionId,omitempty"`
		ContentType        string     `xml:"ContentType,omitempty"`
		Properties         *xmlValues `xml:"Properties"`
		SQLExpression      string     `xml:"SqlExpression,omitempty"`
		CompatibilityLevel int        `xml:"CompatibilityLevel,omitempty"`
		Parameters         *xmlValues `xml:"Parameters"`
	}
	actionDescription struct {
		XMLName            xml.Name   `xml:"Action"`
		Type               xsiType    `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
		SQLExpression      string     `xml:"SqlExpression,omitempty"`
		CompatibilityLevel int        `xml:"CompatibilityLevel,omitempty"`
		Parameters         *xmlValues `xml:"Parameters"`
	}
)

func describeFilter(f broker.Filter) *filterDescription {
	d := &filterDescription{CompatibilityLevel: compatibilityLevel}
	switch f.Kind {
	case broker.TrueFilter:
		d.Type, d.SQLExpression = typeTrueFilter, expressionTrue
	case broker.FalseFilter:
		d.Type, d.SQLExpression = typeFalseFilter, expressionFalse
	case broker.SQLFilter:
		d.Type, d.SQLExpression, d.Parameters = typeSQLFilter, f.SQL, describeValues(f.Parameters)
	case broker.CorrelationFilter:
		c := f.Correlation
		return &filterDescription{
			Type: typeCorrelationFilter, CorrelationID: c.CorrelationID, MessageID: c.MessageID, To: c.To, ReplyTo: c.ReplyTo,
			Label: c.Label, SessionID: c.SessionID, ReplyToSessionID: c.ReplyToSessionID, ContentType: c.ContentType,
			Properties: describeValues(c.Properties),
		}
	}
	return d
}

// filter reads a description; none lets everything through.
func (d *filterDescription) filter() (broker.Filter, error) {
	if d == nil {
		return broker.Filter{Kind: broker.TrueFilter}, nil
	}
	switch d.Type {
	case typeTrueFilter:
		return broker.Filter{Kind: broker.TrueFilter}, nil
	case typeFalseFilter:
		return broker.Filter{Kind: broker.FalseFilter}, nil
	case typeSQLFilter:
		parameters, err := d.Parameters.values()
		return broker.Filter{Kind: broker.SQLFilter, SQL: d.SQLExpression, Parameters: parameters}, err
	case typeCorrelationFilter:
		properties, err := d.Properties.values()
		return broker.Filter{Kind: broker.CorrelationFilter, Correlation: broker.Correlation{
			CorrelationID: d.CorrelationID, MessageID: d.MessageID, To: d.To, ReplyTo: d.ReplyTo, Label: d.Label,
			SessionID: d.SessionID, ReplyToSessionID: d.ReplyToSessionID, ContentType: d.ContentType, Properties: properties,
		}}, err
	}
	return broker.Filter{}, badRequest(fmt.Sprintf(textUnknownType, d.Type, "filter"))
}

func describeAction(a broker.Action) *actionDescription {
	if a.SQL == "" {
		return &actionDescription{Type: typeNoAction}
	}
	return &actionDescription{
		Type: typeSQLAction, SQLExpression: a.SQL, CompatibilityLevel: compatibilityLevel, Parameters: describeValues(a.Parameters),
	}
}

// action reads a description; none changes nothing.
func (d *actionDescription) action() (broker.Action, error) {
	switch {
	case d == nil || d.Type == typeNoAction:
		return broker.Action{}, nil
	case d.Type == typeSQLAction:
		parameters, err := d.Parameters.values()
		return broker.Action{SQL: d.SQLExpression, Parameters: parameters}, err
	}
	return broker.Action{}, badRequest(fmt.Sprintf(textUnknownType, d.Type, "action"))
}
