package fakead

// The filter of a search request (RFC 4511 4.5.1.7), written as the string of RFC 4515 that package tree reads.
// It is read from the request as it came: gldap drops the connection for extensible matches that it cannot decode.

import (
	"fmt"
	"strings"

	ber "github.com/go-asn1-ber/asn1-ber"

	"passback/fakead/tree"
)

// The choices of Filter.
const (
	filterAnd             ber.Tag = 0
	filterOr              ber.Tag = 1
	filterNot             ber.Tag = 2
	filterEqual           ber.Tag = 3
	filterSubstrings      ber.Tag = 4
	filterGreaterOrEqual  ber.Tag = 5
	filterLessOrEqual     ber.Tag = 6
	filterPresent         ber.Tag = 7
	filterApproximate     ber.Tag = 8
	filterExtensible      ber.Tag = 9
	filterPosition                = 6 // of the filter in a SearchRequest
	substringInitial      ber.Tag = 0
	substringFinal        ber.Tag = 2
	extensibleRule        ber.Tag = 1
	extensibleType        ber.Tag = 2
	extensibleValue       ber.Tag = 3
	extensibleDNAttribute ber.Tag = 4
)

var filterOperators = map[ber.Tag]string{filterEqual: "=", filterGreaterOrEqual: ">=", filterLessOrEqual: "<=", filterApproximate: "~="}

// searchFilter reads the filter of a search request.
func searchFilter(req *request) (*tree.Filter, error) {
	if len(req.message.Children) <= filterPosition {
		return nil, errUndecodable
	}
	text, err := filterText(req.message.Children[filterPosition])
	if err != nil {
		return nil, err
	}
	return tree.ParseFilter(text)
}

func filterText(p *ber.Packet) (string, error) {
	if p.ClassType != ber.ClassContext {
		return "", errUndecodable
	}
	switch p.Tag {
	case filterAnd, filterOr, filterNot:
		return filterSet(p)
	case filterEqual, filterGreaterOrEqual, filterLessOrEqual, filterApproximate:
		if len(p.Children) != 2 {
			return "", errUndecodable
		}
		name, err := attributeDescription(p.Children[0])
		return fmt.Sprintf("(%s%s%s)", name, filterOperators[p.Tag], filterValue(p.Children[1])), err
	case filterSubstrings:
		return filterParts(p)
	case filterPresent:
		name, err := attributeDescription(p)
		return fmt.Sprintf("(%s=*)", name), err
	case filterExtensible:
		return filterRule(p)
	default:
		return "", errUndecodable
	}
}

func filterSet(p *ber.Packet) (string, error) {
	var b strings.Builder
	b.WriteString("(" + map[ber.Tag]string{filterAnd: "&", filterOr: "|", filterNot: "!"}[p.Tag])
	for _, child := range p.Children {
		text, err := filterText(child)
		if err != nil {
			return "", err
		}
		b.WriteString(text)
	}
	b.WriteByte(')')
	return b.String(), nil
}

func filterParts(p *ber.Packet) (string, error) {
	if len(p.Children) != 2 || len(p.Children[1].Children) == 0 {
		return "", errUndecodable
	}
	name, err := attributeDescription(p.Children[0])
	parts := p.Children[1].Children
	value := ""
	for i, part := range parts {
		if part.Tag > substringFinal || part.Tag == substringInitial && i > 0 || part.Tag == substringFinal && i < len(parts)-1 {
			return "", errUndecodable
		}
		if part.Tag != substringInitial {
			value += "*"
		}
		value += filterValue(part)
	}
	if parts[len(parts)-1].Tag != substringFinal {
		value += "*"
	}
	return fmt.Sprintf("(%s=%s)", name, value), err
}

func filterRule(p *ber.Packet) (string, error) {
	parts := map[ber.Tag]*ber.Packet{}
	for _, part := range p.Children {
		parts[part.Tag] = part
	}
	text := "("
	for _, tag := range []ber.Tag{extensibleType, extensibleDNAttribute, extensibleRule} {
		part := parts[tag]
		switch {
		case part == nil:
		case tag == extensibleDNAttribute:
			if strings.Trim(part.Data.String(), "\x00") != "" {
				text += ":dn"
			}
		default:
			name, err := attributeDescription(part)
			if err != nil {
				return "", err
			}
			if tag == extensibleRule {
				name = ":" + name
			}
			text += name
		}
	}
	if parts[extensibleValue] == nil {
		return "", errUndecodable
	}
	return text + ":=" + filterValue(parts[extensibleValue]) + ")", nil
}

// attributeDescription is a name, an OID, or either with options (RFC 4512 2.5).
func attributeDescription(p *ber.Packet) (string, error) {
	name := p.Data.String()
	for _, c := range []byte(name) {
		letter, digit := c|0x20 >= 'a' && c|0x20 <= 'z', c >= '0' && c <= '9'
		if !letter && !digit && !strings.ContainsRune("-.;_", rune(c)) {
			return "", errUndecodable
		}
	}
	return name, nil
}

// filterValue escapes what has a meaning in a filter.
func filterValue(p *ber.Packet) string {
	var b strings.Builder
	for _, c := range p.Data.Bytes() {
		if strings.IndexByte(`*()\`, c) >= 0 || c == 0 {
			fmt.Fprintf(&b, `\%02x`, c)
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
