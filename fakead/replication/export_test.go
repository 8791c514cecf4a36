package replication

// LogLen is how many entries the log has.
func (m *Metadata) LogLen() int { return len(m.log) }
