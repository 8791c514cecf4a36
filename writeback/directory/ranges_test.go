package directory_test

import (
	"fmt"
	"slices"
	"testing"

	"passback/writeback/directory"
)

// A controller tells 1500 values of an attribute at a time. Somebody who asked for very many passwords within the hour
// has more markers than that, and each of them counts.
func TestReadsMoreMarkersThanOneSearchTells(t *testing.T) {
	for _, count := range []int{1500, 1501, 3000, 3001} {
		t.Run(fmt.Sprint(count), func(t *testing.T) {
			l := newLab(t)
			_, guid := l.addUser("olive", nil)
			c := l.connect(l.open())
			var want []string
			for i := range count {
				want = append(want, fmt.Sprintf("marker %06d", i))
			}
			for some := range slices.Chunk(want, 1000) {
				l.must(c.Modify(t.Context(), l.find(c, guid), directory.Modification{Mark: some}))
			}
			got := l.find(c, guid).Markers
			slices.Sort(got)
			if !slices.Equal(got, want) {
				t.Errorf("%d markers, want %d", len(got), count)
			}
		})
	}
}

// Between one range and the next another agent may remove old markers, which moves the others up: none is overlooked.
func TestReadsMarkersAsOfOneInstant(t *testing.T) {
	l := newLab(t)
	_, guid := l.addUser("olive", nil)
	d := l.open()
	reader, writer := l.connect(d), l.connect(d)
	var old, lasting []string
	for i := range 1000 {
		old, lasting = append(old, fmt.Sprintf("old %d", i)), append(lasting, fmt.Sprintf("lasting %d", i))
	}
	user := l.find(writer, guid)
	l.must(writer.Modify(t.Context(), user, directory.Modification{Mark: old}))
	l.must(writer.Modify(t.Context(), user, directory.Modification{Mark: lasting}))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for _, marker := range old[:400] {
			if err := writer.Modify(t.Context(), user, directory.Modification{Unmark: []string{marker}}); err != nil {
				t.Error(err)
				return
			}
		}
	}()
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		read, err := reader.Read(t.Context(), guid)
		if err != nil {
			continue // written to again and again: the reader says that it cannot tell
		}
		for _, want := range lasting {
			if !slices.Contains(read.Markers, want) {
				t.Fatalf("%q is overlooked among %d markers", want, len(read.Markers))
			}
		}
	}
}
