package writeback

// forbidCores has nothing to do here: dumps of a process are the administrator's choice (Windows Error Reporting).
func forbidCores() error { return nil }
