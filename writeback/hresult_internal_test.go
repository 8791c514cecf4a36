package writeback

import (
	"testing"

	"passback/writeback/protocol"
)

// Every HRESULT that an event can carry has the engine's words.
func TestEveryHRESULTHasItsText(t *testing.T) {
	for _, row := range protocol.Outcomes() {
		if row.HRESULT != 0 && engineTexts[row.HRESULT] == "" {
			t.Errorf("%s: hr=%08X has no text", row.Outcome, row.HRESULT)
		}
	}
}
