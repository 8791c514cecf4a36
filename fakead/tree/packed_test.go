package tree_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"passback/fakead/tree"
)

// Whatever is written, an entry says what was written last, also where its values are kept with other entries'.
func TestAnEntryKeepsWhatWasWritten(t *testing.T) {
	l := newLab(t)
	alice, bob := l.user("alice"), l.user("bob")
	attributes := []string{"badPwdCount", "countryCode", "description", "displayName", "otherTelephone", "thumbnailPhoto"}
	values := rapid.SliceOfN(rapid.SampledFrom([]string{"0", "1", "546", string(make([]byte, 127)), string(make([]byte, 128)), string(make([]byte, 20_000))}), 0, 3)
	start := snapshotOf(bob)
	rapid.Check(t, func(t *rapid.T) {
		written := map[string][]string{}
		for range rapid.IntRange(1, 12).Draw(t, "writes") {
			name := rapid.SampledFrom(attributes).Draw(t, "attribute")
			written[name] = values.Draw(t, "values")
			l.Set(alice, name, written[name]...)
		}
		for name, want := range written {
			var got []string
			for _, v := range alice.Get(name) {
				got = append(got, string(v))
			}
			if !slices.Equal(got, want) {
				t.Fatalf("%s: got %.100q, want %.100q", name, got, want)
			}
		}
		if got := snapshotOf(bob); !maps.Equal(got, start) {
			t.Fatalf("another entry changed with it: %v, before %v", got, start)
		}
	})
}

func snapshotOf(e *tree.Entry) map[string]string {
	all := map[string]string{}
	for a, values := range e.All() {
		all[a.Name] = fmt.Sprintf("%q", values)
	}
	return all
}

// An index finds who shares a value, and the one who is left.
func TestAnIndexOfValuesThatSeveralHave(t *testing.T) {
	l := newLab(t)
	shared := []byte{1, 2, 3}
	var users []*tree.Entry
	for i := range 4 {
		users = append(users, l.user(fmt.Sprintf("u%d", i), tree.Strings("mS-DS-ConsistencyGuid", string(shared))))
	}
	for i, u := range users {
		if found := l.ByConsistencyGUID(shared); !slices.Equal(found, users[i:]) {
			t.Errorf("%d of %d were found", len(found), len(users)-i)
		}
		l.Set(u, "mS-DS-ConsistencyGuid", "another"+u.DN()[0].Value)
	}
	if found := l.Clone().ByConsistencyGUID([]byte("anotheru1")); len(found) != 1 || found[0] == users[1] || !found[0].DN().Equal(users[1].DN()) {
		t.Error("a copy of the tree finds other entries than its own")
	}
}
