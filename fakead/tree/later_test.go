package tree_test

import (
	"testing"
	"time"

	"passback/fakead/tree"
)

// What is put off is there for whoever looks, with the numbers that it would have had at once.
func TestEntriesThatAreMadeLater(t *testing.T) {
	for name, look := range map[string]func(*lab, tree.DN) bool{
		"by name": func(l *lab, head tree.DN) bool { return l.Find(head.Child("CN", "late")) != nil },
		"of a parent": func(l *lab, head tree.DN) bool {
			return l.Find(head.Child("CN", "late").Child("CN", "later")) == nil && l.Len() > 2
		},
		"by walking": func(l *lab, head tree.DN) bool {
			n := 0
			for range l.Walk(l.Find(head), tree.SingleLevel) {
				n++
			}
			return n == 1
		},
		"in a copy": func(l *lab, head tree.DN) bool { return l.Clone().Find(head.Child("CN", "late")) != nil },
	} {
		l := newLab(t)
		head := tree.DN{{Type: "DC", Value: "late"}}
		if _, err := l.AddHead(head, []tree.Value{tree.Strings("objectClass", "dMD")}); err != nil {
			t.Fatal(err)
		}
		usn, made := l.USN(), 0
		l.Later(l.Find(head), 1, func() {
			made++
			if _, err := l.Add(head.Child("CN", "late"), []tree.Value{tree.Strings("objectClass", "container")}, tree.Rules{System: true}); err != nil {
				t.Fatal(err)
			}
		})
		whenCreated := tree.FormatTime(l.now)
		l.now = l.now.Add(time.Hour)
		if made != 0 || l.USN() != usn+1 {
			t.Errorf("%s: made %d times before anybody looks, USN %d after %d", name, made, l.USN(), usn)
		}
		if !look(l, head) || made != 1 {
			t.Errorf("%s: not found, or made %d times", name, made)
		}
		late := l.Find(head.Child("CN", "late"))
		if created, _ := late.Int("uSNCreated"); created != usn+1 || l.USN() != usn+1 || late.First("whenCreated") != whenCreated {
			t.Errorf("%s: made at %s as change %d of %d, after %d", name, late.First("whenCreated"), created, l.USN(), usn)
		}
	}
}
