package sim_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"passback/sim"
)

func TestPageResetsAPasswordAndShowsEachHop(t *testing.T) {
	w := sim.RunT(t)
	alice := w.People()[0]
	fresh := "Nine-Green-Kites-41"

	overview := page(t, http.MethodGet, w.WebURL()+"/", nil)
	if !strings.Contains(overview, alice.UPN) || !strings.Contains(overview, "alive") {
		t.Error("the overview names no person, or no agent that is alive")
	}
	form := page(t, http.MethodGet, w.WebURL()+"/do?way=portalReset&user="+alice.UPN, nil)
	if !strings.Contains(form, `name="new"`) || strings.Contains(form, `name="old"`) {
		t.Error("the form of a forgotten password does not ask for the new one alone")
	}
	told := page(t, http.MethodPost, w.WebURL()+"/do", url.Values{
		"way": {"portalReset"}, "user": {alice.UPN}, "new": {fresh}, "again": {fresh},
	})
	for _, want := range []string{"success", "event 31001 PasswordResetStart", "modify answered", "deliver writeback-answers"} {
		if !strings.Contains(told, want) {
			t.Errorf("the outcome does not show %q", want)
		}
	}
	if strings.Contains(told, fresh) {
		t.Error("the outcome shows the password")
	}
	if err := bind(t, w, alice.UPN, fresh); err != nil {
		t.Errorf("the new password does not bind: %v", err)
	}
}

func TestPageSaysWhichRuleRefused(t *testing.T) {
	w := sim.RunT(t)
	told := page(t, http.MethodPost, w.WebURL()+"/do", url.Values{
		"way": {"portalReset"}, "user": {"bob@corp.example"}, "new": {"Kx7!qz"}, "again": {"Kx7!qz"},
	})
	if !strings.Contains(told, "policyViolation") || !strings.Contains(told, "It is too short. (certain)") {
		t.Errorf("the page does not say that the password is too short: %s", told)
	}
	if differ := page(t, http.MethodPost, w.WebURL()+"/do", url.Values{
		"way": {"portalReset"}, "user": {"bob@corp.example"}, "new": {"Kx7!qz"}, "again": {"other"},
	}); !strings.Contains(differ, "The two new passwords differ") {
		t.Error("two different new passwords were taken")
	}
}

func TestPageOfAnotherOriginCanDoNothing(t *testing.T) {
	w := sim.RunT(t)
	body := url.Values{"way": {"portalReset"}, "user": {"bob@corp.example"}, "new": {"Nine-Green-Kites-41"}, "again": {"Nine-Green-Kites-41"}}
	for name, change := range map[string]func(*http.Request){
		"origin":     func(r *http.Request) { r.Header.Set("Origin", "http://evil.example") },
		"fetch site": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"rebinding":  func(r *http.Request) { r.Host = "evil.example" },
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, w.WebURL()+"/do", strings.NewReader(body.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			change(r)
			answer, err := http.DefaultClient.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			if answer.StatusCode < 400 {
				t.Errorf("answered %s", answer.Status)
			}
		})
	}
	if len(w.Trace.IDs()) != 0 {
		t.Error("an operation was started")
	}
}

// page asks as a browser would on the sandbox's own page, and returns the text of the answer.
func page(t *testing.T, method, address string, form url.Values) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, address, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
