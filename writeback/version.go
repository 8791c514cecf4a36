package writeback

import "runtime/debug"

// version is that of the module in this binary, as heartbeats tell it.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "unknown"
	}
	return info.Main.Version
}
