package fakead

import "testing"

// The log keeps the last events, in order, and no more.
func TestTheSecurityLogIsBounded(t *testing.T) {
	s := RunT(t)
	for i := range maxEvents + 3 {
		s.events.add(Event{Record: int64(i + 1)})
	}
	events := s.Events()
	if len(events) != maxEvents || events[0].Record != 4 || events[maxEvents-1].Record != maxEvents+3 {
		t.Errorf("%d events, from %d to %d", len(events), events[0].Record, events[len(events)-1].Record)
	}
}

func TestTheRecordOfPasswordWritesIsBounded(t *testing.T) {
	s := RunT(t)
	for i := range maxPasswordWrites + 3 {
		s.writes.add(PasswordWrite{Code: i})
	}
	writes := s.PasswordWrites()
	if len(writes) != maxPasswordWrites || writes[0].Code != 3 || writes[maxPasswordWrites-1].Code != maxPasswordWrites+2 {
		t.Errorf("%d writes, from %d to %d", len(writes), writes[0].Code, writes[len(writes)-1].Code)
	}
}
