package fakerelay

// The Atom documents (RFC 4287) of the management API, and how they spell instants and durations: as .NET's XmlConvert
// does.

import (
	"encoding/xml"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"passback/fakerelay/broker"
)

const (
	atomSchema     = "http://www.w3.org/2005/Atom"
	schemaInstance = "http://www.w3.org/2001/XMLSchema-instance"
	entitySchema   = "http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"
	countsSchema   = "http://schemas.microsoft.com/netservices/2011/06/servicebus"
	applicationXML = "application/xml"

	maxPage = 100 // entries of a feed, as the service's

	never       = "0001-01-01T00:00:00"
	maxTimeSpan = "P10675199DT2H48M5.4775807S" // for ever: .NET's TimeSpan.MaxValue
)

// atomEntry and atomFeed are answers.
type (
	atomEntry struct {
		XMLName   xml.Name    `xml:"entry"`
		Schema    string      `xml:"xmlns,attr"`
		ID        string      `xml:"id"`
		Title     atomTitle   `xml:"title"`
		Published string      `xml:"published,omitempty"`
		Updated   string      `xml:"updated"`
		Author    string      `xml:"author>name,omitempty"`
		Link      atomLink    `xml:"link"`
		Content   atomContent `xml:"content"`
	}
	atomFeed struct {
		XMLName xml.Name    `xml:"feed"`
		Schema  string      `xml:"xmlns,attr"`
		Title   atomTitle   `xml:"title"`
		ID      string      `xml:"id"`
		Updated string      `xml:"updated"`
		Link    atomLink    `xml:"link"`
		Entries []atomEntry `xml:"entry"`
	}
	atomTitle struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr"`
		Href string `xml:"href,attr"`
	}
	atomContent struct {
		Type        string `xml:"type,attr"`
		Description any
	}
)

// atomSchemas are the attributes of a description's root element, in answers.
type atomSchemas struct {
	Schema   string `xml:"xmlns,attr,omitempty"`
	Instance string `xml:"xmlns:i,attr,omitempty"`
}

var entitySchemas = atomSchemas{entitySchema, schemaInstance}

// xsiType is the attribute i:type, where i stands for the schema instance's namespace.
type xsiType string

// MarshalXMLAttr uses the prefix that the root element declares.
func (t xsiType) MarshalXMLAttr(xml.Name) (xml.Attr, error) {
	return xml.Attr{Name: xml.Name{Local: "i:type"}, Value: string(t)}, nil
}

func (c *atomCall) newEntry(path, title string, facts broker.Facts, description any) atomEntry {
	href := c.url(path)
	return atomEntry{
		Schema: atomSchema, ID: href, Title: atomTitle{"text", title},
		Published: facts.CreatedAt.UTC().Format(time.RFC3339), Updated: facts.UpdatedAt.UTC().Format(time.RFC3339),
		Author: c.namespaceName(), Link: atomLink{"self", href},
		Content: atomContent{applicationXML, description},
	}
}

func (c *atomCall) url(path string) string {
	href := "https://" + c.r.Host + "/" + path
	if query := c.r.URL.RawQuery; query != "" {
		href += "?" + query
	}
	return href
}

// namespaceName is the first label of the host's name.
func (c *atomCall) namespaceName() string {
	name, _, _ := strings.Cut(hostname(c.r.Host), ".")
	return name
}

// answerFeed answers with the page of the names that $top and $skip ask for. An entity that is gone meanwhile is left out.
func (c *atomCall) answerFeed(title string, names []string, entry func(name string) (atomEntry, bool)) (atomAnswer, error) {
	query := c.r.URL.Query()
	skip, err := pageParameter(query.Get("$skip"), 0, math.MaxInt32)
	if err != nil {
		return atomAnswer{}, badRequest("$skip " + err.Error())
	}
	top, err := pageParameter(query.Get("$top"), maxPage, maxPage)
	if err != nil {
		return atomAnswer{}, badRequest("$top " + err.Error())
	}
	names = names[min(skip, len(names)):]
	feed := c.newFeed(title)
	for _, name := range names[:min(top, len(names))] {
		if e, ok := entry(name); ok {
			feed.Entries = append(feed.Entries, e)
		}
	}
	return atomAnswer{status: http.StatusOK, feed: feed}, nil
}

// emptyFeed is how the service says that there is no such queue or topic.
func (c *atomCall) emptyFeed() (atomAnswer, error) {
	return atomAnswer{status: http.StatusOK, feed: c.newFeed(textEmptyFeedTitle)}, nil
}

func (c *atomCall) newFeed(title string) *atomFeed {
	href := c.url(c.at.String())
	return &atomFeed{
		Schema: atomSchema, Title: atomTitle{"text", title}, ID: href, Link: atomLink{"self", href},
		Updated: c.ns.clock.Now().UTC().Format(time.RFC3339),
	}
}

func pageParameter(text string, missing, most int) (int, error) {
	if text == "" {
		return missing, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%q must be a whole number, 0 or more", text)
	}
	return min(n, most), nil
}

// An xmlTime is an instant; zero: never.
type xmlTime time.Time

// MarshalText writes all seven digits that .NET has, but no zeros at the end.
func (t xmlTime) MarshalText() ([]byte, error) {
	if time.Time(t).IsZero() {
		return []byte(never), nil
	}
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.9999999Z07:00"), nil
}

// UnmarshalText takes what MarshalText writes.
func (t *xmlTime) UnmarshalText(text []byte) error {
	if string(text) == never {
		*t = xmlTime{}
		return nil
	}
	parsed, err := time.Parse(time.RFC3339, string(text))
	if err != nil {
		return fmt.Errorf("%q is not an instant of RFC 3339", text)
	}
	*t = xmlTime(parsed)
	return nil
}

// An xmlDuration is a time span in ISO 8601's form. What Go cannot count, and the greatest that it can, is for ever.
type xmlDuration time.Duration

// MarshalText writes the largest units that fit.
func (d xmlDuration) MarshalText() ([]byte, error) {
	return []byte(formatDuration(time.Duration(d))), nil
}

// UnmarshalText takes days to seconds; nothing is 0.
func (d *xmlDuration) UnmarshalText(text []byte) error {
	parsed, ok := parseDuration(string(text))
	if !ok {
		return fmt.Errorf("%q is not an ISO 8601 duration such as PT1M", text)
	}
	*d = xmlDuration(parsed)
	return nil
}

func formatDuration(d time.Duration) string {
	switch {
	case d >= forEver:
		return maxTimeSpan
	case d <= 0:
		return "PT0S"
	}
	const day = 24 * time.Hour
	text := "P"
	if d >= day {
		text += strconv.FormatInt(int64(d/day), 10) + "D"
		d %= day
	}
	if d > 0 {
		text += "T"
	}
	if d >= time.Hour {
		text += strconv.FormatInt(int64(d/time.Hour), 10) + "H"
		d %= time.Hour
	}
	if d >= time.Minute {
		text += strconv.FormatInt(int64(d/time.Minute), 10) + "M"
		d %= time.Minute
	}
	if d > 0 {
		text += strconv.FormatFloat(d.Seconds(), 'f', -1, 64) + "S"
	}
	return text
}
