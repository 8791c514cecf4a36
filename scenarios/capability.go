package scenarios

// A Capability is what not every target can do. A scenario that needs one says so.
type Capability string

// The capabilities.
const (
	NameCheck        Capability = "name-check"         // the directory compares a password with the person's names
	HintedMustChange Capability = "hinted-must-change" // a reset with policy hints may ask for must-change in the same modify
	PasswordFilters  Capability = "password-filters"   // a password filter can be installed
	HintsSwitch      Capability = "hints-switch"       // the directory can be told not to offer the policy-hints control
	AdvanceClock     Capability = "advance-clock"      // the directory's and the tenant's time can be moved on
	StopDirectory    Capability = "stop-directory"     // the directory can be made unreachable and reachable again
	AgentRights      Capability = "agent-rights"       // the agent's rights on the people are only those given to it
	DirectoryTraps   Capability = "directory-traps"    // a modify can be held before and after it is applied
	RelayTraps       Capability = "relay-traps"        // a message can be held in the relay
	RawRelay         Capability = "raw-relay"          // what the relay stores can be read, and messages put beside it
	Forge            Capability = "forge"              // requests can be sealed as the tenant's cloud would not
	UnexpireRight    Capability = "unexpire-right"     // the agent's account can be denied Unexpire Password
	Controllers      Capability = "controllers"        // the domain can have several controllers, each of which can be stopped
	Release2025      Capability = "release-2025"       // the directory can be one of Windows Server 2025, as installed
	AgentProcess     Capability = "agent-process"      // the agent is a process of its own that can be looked into
)

// Capabilities lists them all.
func Capabilities() []Capability {
	return []Capability{NameCheck, HintedMustChange, PasswordFilters, HintsSwitch, AdvanceClock, StopDirectory, AgentRights, UnexpireRight,
		Controllers, Release2025, DirectoryTraps, RelayTraps, RawRelay, Forge, AgentProcess}
}
