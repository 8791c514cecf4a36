package tree

// What is never deleted (MS-ADTS 3.1.1.5.5.3, MS-SAMR 3.1.5.7): heads of naming contexts, what systemFlags hold, domain
// controllers' nTDSDSA objects, the accounts that every domain begins with, a group that is somebody's primary one, and the
// crossRef of a naming context that is still there. A deletion of a whole tree is stopped by critical objects, too.

import "strconv"

const (
	disallowDelete   = 0x80000000 // of systemFlags, MS-ADTS 2.2.10
	firstOrdinaryRID = 1000       // below are the accounts that every domain begins with
)

func (t *Tree) judgeDelete(e *Entry) error {
	flags, _ := strconv.ParseInt(e.First("systemFlags"), 10, 64)
	switch {
	case e.head, flags&disallowDelete != 0, e.IsA("nTDSDSA"):
		return errCannotDelete.about(nil)
	case e.IsA("crossRef"):
		return t.judgeDeleteCrossRef(e)
	case e.isAccount() && e.isSpecial():
		return errSpecialAccount.about(nil)
	case e.IsA("group") && t.isPrimaryOfSomeone(e):
		return errPrimaryGroup.about(nil)
	default:
		return nil
	}
}

func (t *Tree) isPrimaryOfSomeone(group *Entry) bool {
	_, rid := group.SID().RID()
	id := strconv.FormatUint(uint64(rid), 10)
	for e := range t.Walk(t.byDN[t.base.key()], WholeSubtree) {
		if e.First("primaryGroupID") == id {
			return true
		}
	}
	return false
}

// isSpecial: in the domain's own range of identifiers, or in Builtin's.
func (e *Entry) isSpecial() bool {
	_, rid := e.SID().RID()
	return rid < firstOrdinaryRID && !e.IsA("foreignSecurityPrincipal")
}

func (t *Tree) judgeDeleteCrossRef(e *Entry) error {
	context, err := t.Resolve(e.First("nCName"))
	switch {
	case err != nil || !context.head:
		return nil
	case context.dn.Equal(t.SchemaDN()):
		return errCannotDelete.about(nil)
	default:
		return errContextHeld.about(nil)
	}
}
