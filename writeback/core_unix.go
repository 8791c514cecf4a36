//go:build unix

package writeback

import (
	"fmt"
	"syscall"
)

// forbidCores has the kernel write no core of this process (setrlimit(2), RLIMIT_CORE): it would hold the passwords that
// are in memory at that moment.
func forbidCores() error {
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{}); err != nil {
		return fmt.Errorf("forbid core dumps: %w", err)
	}
	return nil
}
