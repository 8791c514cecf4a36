package cloud

import (
	"fmt"
	"time"

	"passback/writeback/protocol"
)

// packageKey is the current one while until is zero, and serves until then once a newer one took its place.
type packageKey struct {
	protocol.PackageKey
	until time.Time
}

// keyGrace is how long an old package key serves: what was sealed under it is past its deadline by then.
const keyGrace = 5 * time.Minute

// openKeys are those that a message may be sealed under now, the current one first, and needs t.mu.
func (t *Tenant) openKeys(now time.Time) []protocol.PackageKey {
	var keys []protocol.PackageKey
	for _, k := range t.keys {
		if k.until.IsZero() || now.Before(k.until) {
			keys = append(keys, k.PackageKey)
		}
	}
	return keys
}

// RollPackageKey makes a new one. Agents fetch it when they meet its kid, or at their next renewal.
func (t *Tenant) RollPackageKey() error {
	fresh, err := protocol.NewPackageKey()
	if err != nil {
		return fmt.Errorf("make a package key: %w", err)
	}
	now := wire()
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := []packageKey{{PackageKey: fresh}}
	for _, k := range t.keys {
		if k.until.IsZero() {
			k.until = now.Add(keyGrace)
		}
		if now.Before(k.until) {
			keys = append(keys, k)
		}
	}
	t.keys = keys
	return nil
}
