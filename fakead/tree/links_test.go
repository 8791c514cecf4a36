package tree_test

import (
	"slices"
	"testing"

	"passback/fakead/tree"
)

func TestMembershipShowsAtBothEnds(t *testing.T) {
	l := newLab(t)
	alice, bob := l.user("alice"), l.user("bob")
	g := l.group("g", alice)
	l.mustModify(g, change(tree.AddValues, "member", "<GUID="+bob.GUID().String()+">"))
	expectValues(t, g, "member", alice.DN().String(), bob.DN().String())
	expectValues(t, bob, "memberOf", g.DN().String())

	l.mustModify(g, change(tree.DeleteValues, "member", "<SID="+alice.SID().String()+">"))
	expectValues(t, alice, "memberOf")
	l.mustModify(g, change(tree.ReplaceValues, "member", "cn=ALICE,cn=users,"+base))
	expectValues(t, g, "member", alice.DN().String())
	expectValues(t, bob, "memberOf")
}

func TestMembershipHasErrorsOfItsOwn(t *testing.T) {
	l := newLab(t)
	alice, bob := l.user("alice"), l.user("bob")
	g := l.group("g", alice)
	expectRefusal(t, l.modify(g, change(tree.AddValues, "member", alice.DN().String())), 68, 0x562)
	expectRefusal(t, l.modify(g, change(tree.DeleteValues, "member", bob.DN().String())), 53, 0x561)
	expectRefusal(t, l.modify(g, change(tree.AddValues, "member", "CN=nobody,CN=Users,"+base)), 32, 0x525)
	domainUsers := l.BySAM("Domain Users")
	expectRefusal(t, l.modify(domainUsers, change(tree.AddValues, "member", alice.DN().String())), 68, 0x562) // by primaryGroupID
}

func TestALinkOfOneTarget(t *testing.T) {
	l := newLab(t)
	alice, bob, g := l.user("alice"), l.user("bob"), l.group("g")
	expectRefusal(t, l.modify(g, change(tree.ReplaceValues, "managedBy", alice.DN().String(), bob.DN().String())), 19, 0x202F)
	l.mustModify(g, change(tree.ReplaceValues, "managedBy", alice.DN().String()))
	expectRefusal(t, l.modify(g, change(tree.AddValues, "managedBy", bob.DN().String())), 20, 0x2081)
	expectValues(t, bob, "managedObjects")
}

func TestWhoIsDeletedLeavesNoLinks(t *testing.T) {
	l := newLab(t)
	alice, bob := l.user("alice"), l.user("bob")
	g := l.group("g", alice, bob)
	l.mustModify(bob, change(tree.ReplaceValues, "manager", alice.DN().String()))
	expectValues(t, alice, "directReports", bob.DN().String())
	if err := l.Delete(alice); err != nil {
		t.Fatal(err)
	}
	expectValues(t, g, "member", bob.DN().String())
	expectValues(t, bob, "manager")
	if err := l.Delete(g); err != nil {
		t.Fatal(err)
	}
	expectValues(t, bob, "memberOf")
	if l.BySAM("alice") != nil || l.ByGUID(alice.GUID()) != nil || l.BySID(alice.SID()) != nil {
		t.Error("an index still knows who was deleted")
	}
}

func TestThePrimaryGroupCanBeSwitchedToOneThatTheUserIsIn(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	other := l.group("other")
	_, rid := other.SID().RID()
	toOther := change(tree.ReplaceValues, "primaryGroupID", formatRID(rid))
	expectRefusal(t, l.modify(alice, toOther), 53, 0x529)
	l.mustModify(other, change(tree.AddValues, "member", alice.DN().String()))
	l.mustModify(alice, toOther)
	expectValues(t, alice, "memberOf", "CN=Domain Users,CN=Users,"+base)
	expectValues(t, other, "member")
	if l.PrimaryGroup(alice) != other {
		t.Error("the primary group is not the new one")
	}
}

func TestATreeIsDeletedAsAWholeOrNotAtAll(t *testing.T) {
	l := newLab(t)
	people := l.add("OU=People", "organizationalUnit")
	l.add("OU=Sales,OU=People", "organizationalUnit")
	l.add("CN=x,OU=Sales,OU=People", "user")
	critical := l.add("CN=Keep,OU=People", "container", tree.Strings("isCriticalSystemObject", "TRUE"))
	expectRefusal(t, l.Delete(people), 66, 0x2015)
	expectRefusal(t, l.DeleteTree(people), 53, 0x20CE)
	before := l.Len()
	l.Set(critical, "isCriticalSystemObject")
	if err := l.DeleteTree(people); err != nil {
		t.Fatal(err)
	}
	if l.Len() != before-4 {
		t.Errorf("%d entries went, want 4", before-l.Len())
	}
	names := slices.Collect(l.Walk(l.Find(tree.MustParseDN(base)), tree.WholeSubtree))
	if len(names) != l.Len() {
		t.Error("what is reached from the head is not what is there")
	}
}

// What named a deleted entry names nothing any more, which is no change of its own: every domain controller drops
// such values by itself.
func TestADeletionLeavesThoseWhoNamedItAlone(t *testing.T) {
	l := newLab(t)
	alice := l.user("alice")
	group := l.add("CN=sales", "group")
	l.mustModify(group, change(tree.AddValues, "member", alice.DN().String()))
	usn := group.First("uSNChanged")
	if err := l.Delete(alice); err != nil {
		t.Fatal(err)
	}
	expectValues(t, group, "member")
	if now := group.First("uSNChanged"); now != usn {
		t.Errorf("uSNChanged of the group moved from %s to %s", usn, now)
	}
}
