package fakerelay

// The namespace in the management API: NamespaceInfo.

import (
	"encoding/xml"
	"net"
	"net/http"
	"strings"

	"passback/fakerelay/broker"
)

// messagingUnits of a premium namespace.
const messagingUnits = 1

type namespaceInfo struct {
	XMLName xml.Name `xml:"NamespaceInfo"`
	atomSchemas
	CreatedTime    xmlTime
	MessagingSKU   string
	MessagingUnits *int
	ModifiedTime   xmlTime
	Name           string
	NamespaceType  string
}

func (c *atomCall) namespace() (atomAnswer, error) {
	if err := c.manages(textNeedsRead); err != nil {
		return atomAnswer{}, err
	}
	info := &namespaceInfo{
		atomSchemas: entitySchemas, CreatedTime: xmlTime(c.ns.started), ModifiedTime: xmlTime(c.ns.started),
		MessagingSKU: strings.ToUpper(c.ns.tier.String()[:1]) + c.ns.tier.String()[1:],
		Name:         c.namespaceName(), NamespaceType: "Messaging",
	}
	if c.ns.tier == Premium {
		info.MessagingUnits = new(messagingUnits)
	}
	entry := c.newEntry(c.at.name, info.Name, broker.Facts{CreatedAt: c.ns.started, UpdatedAt: c.ns.started}, info)
	return atomAnswer{status: http.StatusOK, entry: &entry}, nil
}

// hostname drops the port.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}
