package main

import (
	"fmt"
	"strings"

	"passback/sim"
)

// passwordMethod is Graph's id of every user's password method.
const passwordMethod = "28c10230-6103-485e-b985-444c60001490"

// graphLines reset the first person's password and show where the operation is to be polled.
func graphLines(f sim.ReadyFile) string {
	if len(f.Users) == 0 {
		return ""
	}
	return fmt.Sprintf(`curl -i -X POST %s/v1.0/users/%s/authentication/methods/%s/resetPassword \
  -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' \
  -d '{"newPassword":"Winter-2026-Snow!"}'
`, f.Graph, f.Users[0].UPN, passwordMethod, f.Tokens["admin"])
}

func ldapLines(f sim.ReadyFile) string {
	return fmt.Sprintf(`LDAPTLS_CACERT=%s ldapsearch -x -LLL -H %s \
  -D '%s' -w '%s' \
  -b '%s' '(sAMAccountName=alice)' pwdLastSet lockoutTime extensionName
`, f.CAFile, f.Directory.LDAPS, f.Directory.AdminDN, f.Directory.AdminPassword, f.Directory.BaseDN)
}

func enrolLines(f sim.ReadyFile) string {
	return fmt.Sprintf(`printf %%s '%s' > token
passback-agent enroll --config %s --token-file token
passback-agent run --config %s
`, f.Enrol.Token, f.AgentConfig, f.AgentConfig)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n  ") + "\n"
}
