package cloud_test

import (
	"slices"
	"testing"
	"time"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

func synchronised(t *testing.T, w *sim.World) cloud.SyncReport {
	t.Helper()
	report, err := w.Cloud.Sync(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func empty(t *testing.T) *sim.World {
	t.Helper()
	return sim.RunT(t, sim.Options{WithoutAgent: true, EmptyCompany: true})
}

func TestSyncReadsMoreThanOnePage(t *testing.T) {
	w := empty(t)
	for i := range 1203 {
		must(t, w.Directory.AddUser(fakead.User{SAM: "u" + time.Duration(i).String()}))
	}
	if report := synchronised(t, w); report.Users != 1203 || report.Added != 1203 {
		t.Errorf("found %+v, want all 1203", report)
	}
}

func TestSourceAnchorAndEnabledRule(t *testing.T) {
	w := empty(t)
	guid := "0123456789abcdef"
	anchor := map[string][]string{"mS-DS-ConsistencyGuid": {guid}}
	must(t, w.Directory.AddUser(fakead.User{SAM: "old", Disabled: true, Attributes: anchor}))
	must(t, w.Directory.AddUser(fakead.User{SAM: "new", Attributes: anchor}))
	must(t, w.Directory.AddUser(fakead.User{SAM: "plain"}))
	synchronised(t, w)
	joined, known := w.Cloud.User("new@corp.example")
	if !known || joined.SourceAnchor != "MDEyMzQ1Njc4OWFiY2RlZg==" { // base64 of the 16 bytes, as they are
		t.Errorf("the enabled one of two: %t, %q", known, joined.SourceAnchor)
	}
	if _, known := w.Cloud.User("old@corp.example"); known {
		t.Error("the disabled one became a user beside it")
	}
	plain, _ := w.Cloud.User("plain@corp.example")
	if len(plain.SourceAnchor) != 24 || plain.CloudAnchor() != "User_"+plain.ID {
		t.Errorf("without one: %q %q", plain.SourceAnchor, plain.CloudAnchor())
	}
}

func TestSyncFollowsTheDirectory(t *testing.T) {
	w := empty(t)
	must(t, w.Directory.AddUser(fakead.User{SAM: "kim"}))
	must(t, w.Directory.AddGroup(fakead.Group{SAM: "inner", Members: []string{"kim"}}))
	must(t, w.Directory.AddGroup(fakead.Group{SAM: "outer", Members: []string{"inner"}}))
	synchronised(t, w)
	kim, _ := w.Cloud.User("kim@corp.example")
	if !slices.Contains(kim.Groups, "outer") {
		t.Errorf("a member of a member: %v", kim.Groups)
	}
	must(t, w.Directory.SetAttribute("kim", "displayName", "Kim Kent"))
	must(t, w.Directory.SetAttribute("kim", "userAccountControl", "514"))
	synchronised(t, w)
	if after, _ := w.Cloud.User("kim@corp.example"); after.ID != kim.ID || after.DisplayName != "Kim Kent" || after.Enabled {
		t.Errorf("after a change in the directory: %+v", after)
	}
}

// A password that was changed on-premises reaches the cloud as hash synchronisation would bring it.
func TestChangeInTheDirectoryReachesSignIn(t *testing.T) {
	w := empty(t)
	old, fresh := protocol.NewSecret("Old-Boats-17"), protocol.NewSecret("Nine-Green-Kites-41")
	must(t, w.Directory.AddUser(fakead.User{SAM: "kim", Password: old.Reveal(), PasswordSet: w.Clock.Now().Add(-time.Hour)}))
	synchronised(t, w)
	signIn := func(p protocol.Secret) cloud.SignInStatus {
		return w.Cloud.SignIn(t.Context(), "kim@corp.example", p).Status
	}
	if s := signIn(old); s != cloud.SignedIn {
		t.Fatalf("the password does not sign in: %s", s)
	}
	must(t, w.Directory.SetPassword("kim", fresh.Reveal(), time.Time{}))
	if s := signIn(old); s != cloud.SignedIn {
		t.Errorf("before the synchronisation the cloud's copy is the old one, and: %s", s)
	}
	must(t, w.Advance(t.Context(), 2*time.Hour)) // and synchronise: the previous password is let in for an hour
	if a, b := signIn(old), signIn(fresh); a != cloud.SignInWrong || b != cloud.SignedIn {
		t.Errorf("after it: old %s, new %s", a, b)
	}
	if s := signIn(protocol.Secret{}); s != cloud.SignInWrong {
		t.Errorf("no password at all: %s", s)
	}
}

// Expiry and must-change reach a sign-in that the cloud checks only where the tenant says so.
func TestExpiryReachesTheCloudWhereTheTenantSaysSo(t *testing.T) {
	w := sim.RunT(t, sim.Options{WithoutAgent: true})
	passwords := map[string]protocol.Secret{}
	for _, p := range w.People() {
		passwords[p.UPN] = protocol.NewSecret(p.Password)
	}
	for _, reaches := range []bool{false, true} {
		s := w.Cloud.Settings()
		s.ExpiryReachesCloud, s.MustChangeReachesCloud = reaches, reaches
		must(t, w.Cloud.SetSettings(s))
		want := cloud.SignedIn
		if reaches {
			want = cloud.SignInChange
		}
		for _, upn := range []string{"dave@corp.example", "erin@corp.example"} {
			if got := w.Cloud.SignIn(t.Context(), upn, passwords[upn]); got.Status != want {
				t.Errorf("%s, reaches the cloud %t: %s, want %s", upn, reaches, got.Status, want)
			}
		}
		// A federated sign-in asks the directory, whatever the tenant says.
		if got := w.Cloud.SignIn(t.Context(), "ken@fed.corp.example", passwords["ken@fed.corp.example"]); got.AADSTS != 50144 {
			t.Errorf("ken: %s %d", got.Status, got.AADSTS)
		}
	}
}
