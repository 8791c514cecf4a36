package targets

import (
	"crypto/x509"
	"os"
	"testing"
	"time"

	"passback/fakead"
	"passback/scenarios"
	"passback/writeback/protocol"
)

// beds are the directories that people are seeded in: a fakead, and, with PASSBACK_DC_URL, PASSBACK_DC_CA (PEM),
// PASSBACK_DC_DOMAIN, PASSBACK_DC_ADMIN (DN or UPN) and PASSBACK_DC_PASSWORD set, a real domain controller.
func beds(t *testing.T) map[string]*seedbed {
	t.Helper()
	fake := fakead.RunT(t)
	all := map[string]*seedbed{"fakead": {federated: "federated.example", endpoint: endpoint{
		url: fake.LDAPSURL(), roots: fake.CA().Pool(), domain: fake.Domain(), adminDN: fake.AdminDN(), password: protocol.NewSecret(fake.AdminPassword())}}}
	if url := os.Getenv("PASSBACK_DC_URL"); url != "" {
		pem, err := os.ReadFile(os.Getenv("PASSBACK_DC_CA"))
		if err != nil {
			t.Fatal(err)
		}
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM(pem)
		all["real"] = &seedbed{federated: "federated.example", endpoint: endpoint{url: url, roots: roots, domain: os.Getenv("PASSBACK_DC_DOMAIN"),
			adminDN: os.Getenv("PASSBACK_DC_ADMIN"), password: protocol.NewSecret(os.Getenv("PASSBACK_DC_PASSWORD"))}}
	}
	return all
}

func TestPeopleAreSeededInTheStateThatWasAskedFor(t *testing.T) {
	for name, bed := range beds(t) {
		t.Run(name, func(t *testing.T) {
			lay(t, bed)
			add := func(p scenarios.Person) scenarios.User {
				t.Helper()
				p.Password = protocol.NewSecret("Pb1!wxyzqvmk")
				u, err := bed.add(t.Context(), p)
				if err != nil {
					t.Fatal(err)
				}
				return u
			}
			is := func(u scenarios.User, what string, holds func(scenarios.Account) bool) {
				t.Helper()
				a, err := bed.account(u)
				if err != nil {
					t.Fatal(err)
				}
				if !holds(a) {
					t.Errorf("%s: got %+v", what, a)
				}
			}
			binds := func(u scenarios.User, want scenarios.Bind) {
				t.Helper()
				if got, err := bed.bind(u.DN, u.Password); err != nil || got != want {
					t.Errorf("a bind of %s was answered %+v, %v; want %+v", u.SAM, got, err, want)
				}
			}
			plain := add(scenarios.Person{DisplayName: "Ada Lovelace"})
			is(plain, "an ordinary person", func(a scenarios.Account) bool {
				return a.Exists && !a.Locked && !a.MustChange && time.Since(a.PasswordSet).Abs() < time.Minute
			})
			binds(plain, scenarios.Bind{Accepted: true})
			must := add(scenarios.Person{MustChange: true})
			is(must, "must change", func(a scenarios.Account) bool { return a.MustChange })
			binds(must, scenarios.Bind{Data: scenarios.BindMustChange})
			locked := add(scenarios.Person{Locked: true})
			is(locked, "locked", func(a scenarios.Account) bool { return a.Locked && a.BadCount > 0 })
			binds(locked, scenarios.Bind{Data: scenarios.BindLocked})
			binds(add(scenarios.Person{Federated: true, Protected: true, NeverExpires: true}), scenarios.Bind{Accepted: true})

			alter := func(u scenarios.User, a scenarios.Alteration) {
				t.Helper()
				if err := bed.alter(u, a); err != nil {
					t.Fatal(err)
				}
			}
			alter(must, scenarios.Alteration{TwinOf: &plain})
			alter(plain, scenarios.Alteration{Disable: true})
			binds(plain, scenarios.Bind{Data: scenarios.BindDisabled})
			alter(plain, scenarios.Alteration{Delete: true})
			is(plain, "gone", func(a scenarios.Account) bool { return !a.Exists })
		})
	}
}

// lay makes the bed, with a policy that locks, and puts back what was there when the test ends.
func lay(t *testing.T, bed *seedbed) {
	t.Helper()
	if err := bed.lay(); err != nil {
		t.Fatal(err)
	}
	policy, err := bed.readPolicy()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.clear(); err != nil {
			t.Error(err)
		}
		if err := bed.writePolicy(policy); err != nil {
			t.Error(err)
		}
	})
	if err := bed.setPolicy(scenarios.Policy{MinLength: 7, Complexity: true, History: 24, LockoutThreshold: 3}); err != nil {
		t.Fatal(err)
	}
}
