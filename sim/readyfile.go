package sim

import (
	"path/filepath"
	"time"

	"passback/clock"
)

// A ReadyFile is what a tool needs to use a world: addresses, names and this start's passwords. It is for a file that
// its owner alone may read.
type ReadyFile struct {
	Web         string            `json:"web"`
	Graph       string            `json:"graph"`
	APIToken    string            `json:"api_token"`
	CAFile      string            `json:"ca_file"`
	Directory   ReadyDirectory    `json:"directory"`
	Relay       ReadyRelay        `json:"relay"`
	Enrol       ReadyEnrol        `json:"enrol"`
	AgentConfig string            `json:"agent_config"`
	Users       []ReadyUser       `json:"users"`
	Tokens      map[string]string `json:"tokens"`
}

// ReadyDirectory is the domain controller. An external one has no administrator here.
type ReadyDirectory struct {
	LDAP          string `json:"ldap,omitempty"`
	LDAPS         string `json:"ldaps"`
	BaseDN        string `json:"base_dn,omitempty"`
	DNS           string `json:"dns"`
	NetBIOS       string `json:"netbios,omitempty"`
	AdminDN       string `json:"admin_dn,omitempty"`
	AdminPassword string `json:"admin_password,omitempty"`
}

// ReadyRelay is the namespace, with a key that may do everything.
type ReadyRelay struct {
	AMQP       string `json:"amqp"`
	AMQPS      string `json:"amqps"`
	WebSocket  string `json:"websocket"`
	Management string `json:"management"`
	Identity   string `json:"identity"` // for IDENTITY_ENDPOINT
}

// ReadyEnrol is how an agent of its own process gets its place. The token does not expire; one agent can use it.
type ReadyEnrol struct {
	URL   string `json:"url"`
	Token string `json:"token"`
}

// ReadyUser is one person of the company. A cloud-only one has no DN.
type ReadyUser struct {
	UPN      string `json:"upn"`
	ID       string `json:"id"`
	DN       string `json:"dn,omitempty"`
	Password string `json:"password"`
}

// ReadyFile describes the world as it is now.
func (w *World) ReadyFile() ReadyFile {
	f := ReadyFile{
		Web: w.WebURL(), Graph: w.WebURL() + "/graph", APIToken: w.apiToken, CAFile: filepath.Join(w.dir, caFile),
		Directory: ReadyDirectory{LDAPS: w.directory.URL, DNS: w.directory.Domain},
		Relay: ReadyRelay{
			AMQP: w.Relay.ConnectionString(), AMQPS: w.Relay.TLSConnectionString(), WebSocket: w.Relay.WebSocketURL(),
			Management: w.Relay.ManagementURL(), Identity: w.Relay.IdentityURL(),
		},
		Enrol:       ReadyEnrol{URL: w.EnrolURL(), Token: w.token.Reveal()},
		AgentConfig: w.AgentConfig(), Users: []ReadyUser{}, Tokens: w.tokens,
	}
	if ad := w.Directory; ad != nil {
		f.Directory = ReadyDirectory{
			LDAP: ad.LDAPURL(), LDAPS: ad.LDAPSURL(), BaseDN: ad.BaseDN(), DNS: ad.Domain(), NetBIOS: ad.NetBIOS(),
			AdminDN: ad.AdminDN(), AdminPassword: ad.AdminPassword(),
		}
	}
	for _, p := range w.People() {
		u, _ := w.Cloud.User(p.UPN)
		f.Users = append(f.Users, ReadyUser{UPN: p.UPN, ID: u.ID, DN: u.DN, Password: p.Password})
	}
	return f
}

// APIToken opens the control API.
func (w *World) APIToken() string { return w.apiToken }

// ahead is by how much the domain's time is ahead of real time.
func (w *World) ahead() time.Duration { return w.Clock.Now().Sub(clock.Real().Now()) }
