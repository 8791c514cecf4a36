package graph

import (
	"net/http"
	"slices"
	"strings"

	"passback/sim/cloud"
)

// user is the documented resource, as far as the sandbox knows it.
type user struct {
	ID                string  `json:"id"`
	UserPrincipalName string  `json:"userPrincipalName"`
	DisplayName       string  `json:"displayName"`
	GivenName         string  `json:"givenName"`
	Surname           string  `json:"surname"`
	AccountEnabled    bool    `json:"accountEnabled"`
	SyncEnabled       *bool   `json:"onPremisesSyncEnabled"` // null for a user of the cloud's own
	ImmutableID       *string `json:"onPremisesImmutableId"`
	DistinguishedName *string `json:"onPremisesDistinguishedName"`
	DomainName        *string `json:"onPremisesDomainName"`
}

func userOf(u cloud.User) user {
	shown := user{
		ID: u.ID, UserPrincipalName: u.UPN, DisplayName: u.DisplayName, GivenName: u.GivenName, Surname: u.Surname, AccountEnabled: u.Enabled,
	}
	if u.Model != cloud.CloudOnly {
		synced := true
		shown.SyncEnabled, shown.ImmutableID, shown.DistinguishedName, shown.DomainName = &synced, &u.SourceAnchor, &u.DN, &u.Domain
	}
	return shown
}

// properties of a user, of which $select picks.
var properties = map[string]func(user) any{
	"id":                          func(u user) any { return u.ID },
	"userPrincipalName":           func(u user) any { return u.UserPrincipalName },
	"displayName":                 func(u user) any { return u.DisplayName },
	"givenName":                   func(u user) any { return u.GivenName },
	"surname":                     func(u user) any { return u.Surname },
	"accountEnabled":              func(u user) any { return u.AccountEnabled },
	"onPremisesSyncEnabled":       func(u user) any { return u.SyncEnabled },
	"onPremisesImmutableId":       func(u user) any { return u.ImmutableID },
	"onPremisesDistinguishedName": func(u user) any { return u.DistinguishedName },
	"onPremisesDomainName":        func(u user) any { return u.DomainName },
}

// selected reads $select; nil means everything.
func (c *call) selected() ([]string, *problem) {
	var names []string
	for option, values := range c.r.URL.Query() {
		if option != "$select" || len(values) != 1 {
			return nil, errQuery
		}
		for name := range strings.SplitSeq(values[0], ",") {
			name = strings.TrimSpace(name)
			if properties[name] == nil {
				return nil, &problem{http.StatusBadRequest, "BadRequest", "$select names a property that this sandbox does not know."}
			}
			names = append(names, name)
		}
	}
	return names, nil
}

func project(u user, names []string) map[string]any {
	shown := map[string]any{}
	for name, value := range properties {
		if len(names) == 0 || slices.Contains(names, name) {
			shown[name] = value(u)
		}
	}
	return shown
}

func (c *call) listUsers() *problem {
	names, p := c.selected()
	if p != nil {
		return p
	}
	value := []map[string]any{}
	for _, u := range c.h.tenant.Users() {
		value = append(value, project(userOf(u), names))
	}
	c.answer(http.StatusOK, map[string]any{"@odata.context": c.metadata("users"), "value": value})
	return nil
}

func (c *call) getUser() *problem {
	u, known := c.h.tenant.User(c.r.PathValue("user"))
	if !known {
		return errUser
	}
	return c.show(u)
}

func (c *call) getMe() *problem { return c.show(c.caller) }

func (c *call) show(u cloud.User) *problem {
	names, p := c.selected()
	if p != nil {
		return p
	}
	shown := project(userOf(u), names)
	shown["@odata.context"] = c.metadata("users/$entity")
	c.answer(http.StatusOK, shown)
	return nil
}
