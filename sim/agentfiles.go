package sim

import (
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"

	"passback/writeback"
	"passback/writeback/protocol"
)

// Files that an agent of its own process needs.
const (
	caFile     = "ca.pem"
	bindFile   = "bind.secret"
	tokenFile  = "enrol.token"
	configFile = "agent.yaml"
	dirCAFile  = "directory-ca.pem"
)

// AgentConfig is the path of an agent.yaml for this world. Beside it lie what it names, and the token to enrol with.
func (w *World) AgentConfig() string { return filepath.Join(w.dir, configFile) }

// writeAgentFiles puts agent.yaml, the authority, the bind password and the token into the world's folder.
func (w *World) writeAgentFiles() error {
	address, err := url.Parse(w.directory.URL)
	if err != nil {
		return fmt.Errorf("the directory's URL: %w", err)
	}
	directoryCA := caFile
	files := map[string][]byte{
		caFile:    w.CA.PEM(),
		bindFile:  []byte(w.directory.Password.Reveal() + "\n"),
		tokenFile: []byte(w.token.Reveal() + "\n"),
	}
	if e := w.options.External; e != nil {
		directoryCA = ""
		if e.CAFile != "" {
			if files[dirCAFile], err = os.ReadFile(e.CAFile); err != nil {
				return fmt.Errorf("the directory's authority: %w", err)
			}
			directoryCA = dirCAFile
		}
	}
	config := writeback.Config{
		Cloud: w.EnrolURL(), CloudCAFile: caFile, StateDir: "state", Mode: protocol.Active,
		Directories: []writeback.Directory{{
			Domain: w.directory.Domain, Servers: []string{address.Host}, CAFile: directoryCA,
			Bind: writeback.DirectoryBind{User: w.directory.BindUser, PasswordFile: bindFile},
		}},
		Limits: w.options.Limits, Log: writeback.Log{Level: "info", Format: "auto"},
	}
	if files[configFile], err = yaml.Marshal(config); err != nil {
		return fmt.Errorf("write agent.yaml: %w", err)
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(w.dir, name), content, 0o600); err != nil {
			return fmt.Errorf("write what an agent needs: %w", err)
		}
	}
	return nil
}
