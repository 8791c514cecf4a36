package tree_test

import (
	"testing"

	"passback/fakead/tree"
)

// What the SAM refuses of groups, computers and accounts that every domain begins with.
func TestTheSAMRefuses(t *testing.T) {
	l := newLab(t)
	group := l.add("CN=sales", "group")
	alice := l.user("alice")
	expectRefusal(t, l.modify(group, change(tree.ReplaceValues, "groupType", "-2147483648")), 53, 0x2141)
	expectRefusal(t, l.modify(alice, change(tree.ReplaceValues, "userAccountControl", "8192")), 65, 0x217C)
	expectRefusal(t, l.modify(group, change(tree.ReplaceValues, "fSMORoleOwner", base)), 53, 0x2035)
	expectRefusal(t, l.modify(alice, change(tree.DeleteValues, "countryCode")), 53, 0x2035)
	expectRefusal(t, l.Delete(l.Find(tree.MustParseDN("CN=Domain Users,CN=Users,"+base))), 80, 0x55B)
}

func TestServiceNamesFollowTheHost(t *testing.T) {
	l := newLab(t)
	c := l.add("CN=c", "computer", tree.Strings("dNSHostName", "one.corp.example"),
		tree.Strings("servicePrincipalName", "HOST/one.corp.example", "HOST/one", "http/one.corp.example/x"))
	l.mustModify(c, change(tree.ReplaceValues, "dNSHostName", "uno.corp.example"))
	expectValues(t, c, "servicePrincipalName", "HOST/uno.corp.example", "HOST/one", "http/uno.corp.example/x")
}

// What the SAM owns of a group, and what of its attributes nobody writes to other objects (MS-ADTS 3.1.1.5.3.2).
func TestWhatOfTheSAMNobodyWrites(t *testing.T) {
	l := newLab(t)
	group := l.group("g")
	unit, err := l.clientAdds("OU=west", tree.Strings("objectClass", "organizationalUnit"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		entry   *tree.Entry
		name    string
		code    int
		windows uint32
	}{
		{group, "memberOf", 53, 0x209A},
		{group, "userPassword", 53, 0x209A},
		{group, "sAMAccountType", 53, 0x209A},
		{group, "badPwdCount", 65, 0x207D},
		{unit, "sAMAccountName", 53, 0x2077},
		{unit, "objectSid", 53, 0x2077},
		{unit, "isCriticalSystemObject", 53, 0x2077},
		{unit, "supplementalCredentials", 53, 0x2077},
		{unit, "badPwdCount", 65, 0x207D},
	} {
		expectRefusal(t, l.modify(c.entry, change(tree.ReplaceValues, c.name, "1")), c.code, c.windows)
	}
}
