package scenarios

import "context"

// An Opener opens a Target for each scenario: what a target file describes.
type Opener interface {
	// Describe tells what is being run against, without a secret.
	Describe() Description
	// Lacks is Target.Lacks, before one is opened.
	Lacks(c Capability) string
	// Open opens a target in a scenario's setup.
	Open(ctx context.Context, s Setup) (Target, error)
}

// A Description is the part of a report that tells what was run against.
type Description struct {
	Directory string `json:"directory"` // such as "fakead", or a URL
	Agent     string `json:"agent"`     // such as "world", or a command line
	Note      string `json:"note,omitempty"`
	Shared    bool   `json:"shared"` // one directory for all scenarios, so that they run one by one
}
