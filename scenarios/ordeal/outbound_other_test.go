//go:build !linux

package ordeal_test

import "testing"

func TestOutboundOnly(t *testing.T) {
	t.Skip("network namespaces and nftables are Linux's")
}
