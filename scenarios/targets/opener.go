package targets

import (
	"context"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"passback/scenarios"
)

// An Opener opens the targets that a File describes.
type Opener struct {
	file  File
	lacks map[scenarios.Capability]string
	place place
}

// New checks what the file names: that the directory answers its administrator, and that the agent's command is there.
func New(f File) (*Opener, error) {
	o := &Opener{file: f, lacks: map[scenarios.Capability]string{}}
	if len(f.Agent.Command) > 0 {
		if _, err := exec.LookPath(f.Agent.Command[0]); err != nil {
			return nil, fmt.Errorf("agent.command: %w", err)
		}
	}
	if len(f.Agent.Command) == 0 {
		o.lacks[scenarios.AgentProcess] = "the agent runs within the world, not as a process of its own"
	} else if runtime.GOOS != "linux" {
		o.lacks[scenarios.AgentProcess] = "a process is looked into by Linux's /proc"
	}
	if f.Directory.URL != "" {
		return o, o.survey()
	}
	return o, nil
}

// survey finds out what a directory that is not ours can do.
func (o *Opener) survey() error {
	d := o.file.Directory
	password, err := d.password()
	if err != nil {
		return err
	}
	o.place = place{endpoint: endpoint{url: d.URL, domain: strings.ToLower(d.Domain), adminDN: d.AdminDN, password: password}, caFile: d.CAFile}
	if o.place.roots, err = pool(d.CAFile); err != nil {
		return err
	}
	const notOurs = "the directory is not ours: "
	o.lacks[scenarios.AdvanceClock] = notOurs + "it has its own time"
	o.lacks[scenarios.PasswordFilters] = notOurs + "no filter can be installed over LDAP"
	o.lacks[scenarios.Controllers] = notOurs + "no controller of it can be stopped"
	o.lacks[scenarios.Release2025] = notOurs + "it is of the release that it is"
	o.lacks[scenarios.UnexpireRight] = notOurs + "the right is Authenticated Users', on the domain's head"
	o.lacks[scenarios.HintsSwitch] = notOurs + "what it offers cannot be switched"
	if d.AgentAccount == accountAdministrator {
		o.lacks[scenarios.AgentRights] = "the agent signs in as an administrator"
	}
	c, err := o.place.admin()
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	root, err := read(c, "", "vendorName")
	if err != nil || root == nil {
		return fmt.Errorf("read the rootDSE: %w", err)
	}
	if strings.HasPrefix(root.GetAttributeValue("vendorName"), "Samba") {
		o.lacks[scenarios.NameCheck] = "Samba does not compare a password with names"
		o.lacks[scenarios.HintedMustChange] = "Samba (4.24) refuses must-change in a reset with policy hints as too young, whatever the minimum age"
	}
	return nil
}

const loopback = "127.0.0.1"

// Describe implements scenarios.Opener.
func (o *Opener) Describe() scenarios.Description {
	d := scenarios.Description{Directory: kindFake, Agent: kindWorld}
	if o.file.Directory.URL != "" {
		d.Directory, d.Shared = o.file.Directory.URL, true
		if o.file.Directory.AgentAccount == accountAdministrator {
			d.Note = "the agent signs in to the directory as an administrator, so that missing rights cannot show"
		}
	}
	if c := o.file.Agent.Command; len(c) > 0 {
		d.Agent = strings.Join(c, " ")
	}
	return d
}

// Lacks implements scenarios.Opener.
func (o *Opener) Lacks(c scenarios.Capability) string { return o.lacks[c] }

// openTimeout bounds the start of a world and its agent.
const openTimeout = 30 * time.Second

// Open implements scenarios.Opener.
func (o *Opener) Open(ctx context.Context, s scenarios.Setup) (scenarios.Target, error) {
	ctx, cancel := context.WithTimeout(ctx, openTimeout)
	defer cancel()
	t := &target{opener: o, setup: s}
	if err := t.open(ctx); err != nil {
		if closing := t.Close(); closing != nil {
			err = fmt.Errorf("%w (and closing it: %w)", err, closing)
		}
		return nil, err
	}
	return t, nil
}
