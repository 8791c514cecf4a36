package web

import (
	"net/http"

	"passback/sim/cloud"
	"passback/writeback/protocol"
)

type signInData struct {
	Person Person
	Answer *cloud.SignIn // nil before the first try
}

func (s *site) signInForm(w http.ResponseWriter, r *http.Request) {
	s.show(w, http.StatusOK, "signin", "Sign in", signInData{Person: s.person(r.FormValue("user"))})
}

func (s *site) signIn(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	p := s.person(r.PostFormValue("user"))
	answer := s.Tenant.SignIn(r.Context(), p.UPN, protocol.NewSecret(r.PostFormValue("password")))
	s.show(w, http.StatusOK, "signin", "Sign in", signInData{Person: p, Answer: &answer})
}
