package fakead_test

import (
	"testing"

	"passback/fakead"
)

// BenchmarkNew is how long a test waits for its domain controller.
func BenchmarkNew(b *testing.B) {
	for b.Loop() {
		dc, err := fakead.New(fakead.Options{})
		if err != nil {
			b.Fatal(err)
		}
		_ = dc.Close()
	}
}
