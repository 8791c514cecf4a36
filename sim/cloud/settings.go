package cloud

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"passback/writeback/protocol"
)

// Scope is whom self-service password reset is on for.
type Scope string

// The scopes, by Entra's names.
const (
	ScopeNone     Scope = "none"
	ScopeSelected Scope = "selected" // the members of Settings.ScopeGroup, nested ones too
	ScopeAll      Scope = "all"
)

// Settings are what an administrator of the tenant decides. DefaultSettings is a tenant in which everything is
// on; the zero value is one in which nothing is.
type Settings struct {
	SSPR            Scope    `yaml:"sspr" json:"sspr"`
	ScopeGroup      string   `yaml:"scope_group" json:"scopeGroup"`           // sAMAccountName of one synchronised group
	Methods         []string `yaml:"methods" json:"methods"`                  // that people may use to prove who they are; none: SSPR_0011
	MethodsRequired int      `yaml:"methods_required" json:"methodsRequired"` // 1 or 2; 0 means 1
	Writeback       bool     `yaml:"writeback" json:"writeback"`              // "Write back passwords to your on-premises directory"
	UnlockAlone     bool     `yaml:"unlock_alone" json:"unlockAlone"`         // "Allow users to unlock accounts without resetting their password"

	// ExpiryReachesCloud is CloudPasswordPolicyForPasswordSyncedUsersEnabled: an expired password of the directory
	// forces a change at a sign-in that the cloud checks. Without it such a password works in the cloud for ever.
	ExpiryReachesCloud bool `yaml:"expiry_reaches_cloud" json:"expiryReachesCloud"`
	// MustChangeReachesCloud is userForcePasswordChangeOnLogonEnabled: the same for a directory's must-change.
	MustChangeReachesCloud bool `yaml:"must_change_reaches_cloud" json:"mustChangeReachesCloud"`

	FederatedDomains []string      `yaml:"federated_domains" json:"federatedDomains"` // UPN suffixes whose sign-ins the directory checks
	BannedWords      []string      `yaml:"banned_words" json:"bannedWords"`           // the custom list, beside the global one
	Deadline         time.Duration `yaml:"deadline" json:"deadline"`                  // of a request; 0 means 60 s, at most 2 min
}

// DefaultSettings is a tenant that lets everybody reset, with writeback on.
func DefaultSettings() Settings {
	return Settings{
		SSPR: ScopeAll, Methods: []string{"mobilePhone", "email"}, MethodsRequired: 1,
		Writeback: true, UnlockAlone: true, MustChangeReachesCloud: true, ExpiryReachesCloud: true,
	}
}

// check names the setting that cannot be used.
func (s Settings) check() error {
	if !slices.Contains([]Scope{"", ScopeNone, ScopeSelected, ScopeAll}, s.SSPR) {
		return fmt.Errorf("sspr: %q is not a scope: none, selected or all", s.SSPR)
	}
	if s.SSPR == ScopeSelected && s.ScopeGroup == "" {
		return fmt.Errorf("sspr: selected needs scope_group, the sAMAccountName of a group")
	}
	if s.MethodsRequired < 0 || s.MethodsRequired > 2 {
		return fmt.Errorf("methods_required: %d is neither 1 nor 2", s.MethodsRequired)
	}
	if s.Deadline < 0 || s.Deadline > protocol.MaxDeadline {
		return fmt.Errorf("deadline: %s is not between 0 (the default, %s) and %s", s.Deadline, protocol.DefaultDeadline, protocol.MaxDeadline)
	}
	return nil
}

func (s Settings) deadline() time.Duration {
	if s.Deadline == 0 {
		return protocol.DefaultDeadline
	}
	return s.Deadline
}

func (s Settings) federated(upn string) bool {
	_, suffix, _ := strings.Cut(upn, "@")
	return slices.ContainsFunc(s.FederatedDomains, func(d string) bool { return strings.EqualFold(d, suffix) })
}
