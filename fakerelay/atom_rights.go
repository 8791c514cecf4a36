package fakerelay

// Authorization rules of queues and topics ("SharedAccessAuthorizationRule"): the keys of the entity, each with two
// secrets. An update without the element keeps them.

import "fmt"

const (
	ruleType   = "SharedAccessAuthorizationRule"
	claimType  = "SharedAccessKey"
	claimValue = "None"

	textUnknownRight = "The access right '%s' of the authorization rule '%s' is not one of Manage, Send and Listen"
)

type (
	authorizationRules struct {
		Rules []authorizationRule `xml:"AuthorizationRule"`
	}
	authorizationRule struct {
		Type         xsiType  `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
		ClaimType    string   `xml:"ClaimType"`
		ClaimValue   string   `xml:"ClaimValue"`
		Rights       []string `xml:"Rights>AccessRights"`
		KeyName      string   `xml:"KeyName"`
		PrimaryKey   string   `xml:"PrimaryKey"`
		SecondaryKey string   `xml:"SecondaryKey,omitempty"`
	}
)

// accessRights are the rights by their names in a rule, in the service's order.
var accessRights = []struct {
	right Rights
	name  string
}{{Manage, "Manage"}, {Listen, "Listen"}, {Send, "Send"}}

// describeRules shows the keys of an entity, to who may manage it.
func (n *Namespace) describeRules(entity string) *authorizationRules {
	all := &authorizationRules{}
	for _, k := range n.keys.list(entity) {
		rule := authorizationRule{
			Type: ruleType, ClaimType: claimType, ClaimValue: claimValue,
			KeyName: k.Name, PrimaryKey: k.Secret, SecondaryKey: k.Secondary,
		}
		for _, one := range accessRights {
			if k.Rights&one.right != 0 {
				rule.Rights = append(rule.Rights, one.name)
			}
		}
		all.Rules = append(all.Rules, rule)
	}
	return all
}

// keys reads the rules; secrets that are not given are made.
func (a *authorizationRules) keys() ([]Key, error) {
	if a == nil {
		return nil, nil
	}
	keys := make([]Key, 0, len(a.Rules))
	for _, rule := range a.Rules {
		k := Key{Name: rule.KeyName, Secret: rule.PrimaryKey, Secondary: rule.SecondaryKey}
		if k.Secret == "" {
			k.Secret = NewSecret()
		}
		if k.Secondary == "" {
			k.Secondary = NewSecret()
		}
		for _, name := range rule.Rights {
			right, known := accessRight(name)
			if !known {
				return nil, badRequest(fmt.Sprintf(textUnknownRight, name, rule.KeyName))
			}
			k.Rights |= right
		}
		if err := k.check(); err != nil {
			return nil, badRequest(err.Error())
		}
		keys = append(keys, k)
	}
	if len(keys) > maxKeys {
		return nil, badRequest(errTooManyKeys.Error())
	}
	return keys, nil
}

func accessRight(name string) (Rights, bool) {
	for _, one := range accessRights {
		if one.name == name {
			return one.right, true
		}
	}
	return 0, false
}
