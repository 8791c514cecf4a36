package sim

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"

	"passback/fakead"
	"passback/fakerelay"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// The parts of a world, each started on what was started before it: directory, relays, cloud.

func (w *World) startDirectory() (err error) {
	if e := w.options.External; e != nil {
		w.directory = cloud.Directory{Domain: w.options.Domain, URL: e.URL, BindUser: e.BindUser, Password: e.Password}
		if e.CAFile != "" {
			w.directory.RootCAs, err = poolFrom(e.CAFile)
		}
		return err
	}
	w.Directory, err = fakead.New(fakead.Options{
		Domain: w.options.Domain, NetBIOS: w.options.NetBIOS, Listen: w.options.Listen, CA: w.CA, Clock: w.Clock,
		LDAPPort: w.options.Ports.LDAP, LDAPSPort: w.options.Ports.LDAPS, Logger: w.log,
	})
	if err != nil {
		return fmt.Errorf("start the directory: %w", err)
	}
	w.directory = cloud.Directory{
		Domain: w.options.Domain, URL: w.Directory.LDAPSURL(), RootCAs: w.CA.Pool(),
		BindUser: serviceAccount + "@" + w.options.Domain, Password: protocol.NewSecret(randomPassword()),
	}
	if err := w.addServiceAccount(); err != nil {
		return err
	}
	if err := w.rememberEmpty(); err != nil {
		return err
	}
	if w.options.EmptyCompany {
		return nil
	}
	w.people = users(w.options.Domain, w.Clock.Now())
	return seedDirectory(w.Directory, w.people)
}

func (w *World) addServiceAccount() error {
	err := w.Directory.AddUser(fakead.User{
		SAM: serviceAccount, DisplayName: "Password writeback", NeverExpires: true, Password: w.directory.Password.Reveal(),
	})
	if err != nil {
		return fmt.Errorf("make the service account: %w", err)
	}
	return w.delegate()
}

// delegate gives the service account its rights, and no more.
func (w *World) delegate() error {
	err := w.Directory.Delegate(serviceAccount, fakead.Rights{
		ResetPassword: true, ChangePassword: true, WritePwdLastSet: true, WriteLockoutTime: true, Unexpire: true,
		WriteMarker: protocol.DefaultMarkerAttribute,
	})
	if err != nil {
		return fmt.Errorf("delegate to the service account: %w", err)
	}
	return nil
}

func (w *World) startRelays() error {
	count := 1
	if w.options.SecondRelay {
		count = 2
	}
	for i := range count {
		ports, identity := w.options.Ports, 0
		if i > 0 {
			ports, identity = Ports{}, -1 // it takes the tokens of the first
		}
		relay, err := fakerelay.New(fakerelay.Options{
			Listen: w.options.Listen, CA: w.CA, Logger: w.log, Queues: w.queues(),
			AMQPPort: ports.AMQP, AMQPSPort: ports.AMQPS, HTTPSPort: ports.HTTPS, IdentityPort: identity,
		})
		if err != nil {
			return fmt.Errorf("start the relay: %w", err)
		}
		relay.Hook(func(e fakerelay.Event) fakerelay.Action {
			w.traceRelay(e)
			return fakerelay.Pass
		})
		w.Relays = append(w.Relays, relay)
	}
	w.Relay = w.Relays[0]
	return nil
}

func (w *World) queues() []fakerelay.QueueOptions {
	return []fakerelay.QueueOptions{
		{Name: protocol.QueueRequests, LockDuration: w.options.RequestLock, MaxDeliveryCount: protocol.MaxDeliveryCount,
			DefaultTTL: protocol.MaxDeadline, RequiresDuplicateDetection: true, DuplicateWindow: protocol.DuplicateWindow},
		{Name: protocol.QueueAnswers, LockDuration: protocol.LockDuration, MaxDeliveryCount: protocol.MaxDeliveryCount,
			DefaultTTL: protocol.AnswerTTL, RequiresSession: true},
		{Name: protocol.QueueStatus, LockDuration: protocol.LockDuration, MaxDeliveryCount: protocol.MaxDeliveryCount,
			DefaultTTL: protocol.StatusTTL},
	}
}

// accessTo is the cloud's way to a namespace and to its rules.
func (w *World) accessTo(n *fakerelay.Namespace) cloud.Relay {
	return cloud.Relay{
		Host: w.reachable(n.HTTPSAddr()), Endpoint: w.reachable(n.AMQPSAddr()), RootCAs: w.CA.Pool(),
		SetRule: func(_ context.Context, queue string, r cloud.Rule) error {
			key := fakerelay.Key{Name: r.Name, Secret: r.Primary.Reveal(), Secondary: r.Secondary.Reveal()}
			if r.Send {
				key.Rights |= fakerelay.Send
			}
			if r.Listen {
				key.Rights |= fakerelay.Listen
			}
			return n.SetKey(queue, key)
		},
		DeleteRule: func(_ context.Context, queue, name string) error {
			if err := n.DeleteKey(queue, name); !errors.Is(err, fakerelay.ErrNoKey) {
				return err
			}
			return nil
		},
	}
}

// reachable is an address as clients of this world use it: by the loopback's name unless another was asked for.
func (w *World) reachable(address string) string {
	if ip := net.ParseIP(w.options.Listen); ip.IsLoopback() || ip.IsUnspecified() {
		_, port, err := net.SplitHostPort(address)
		if err == nil {
			return net.JoinHostPort("localhost", port)
		}
	}
	return address
}

func (w *World) startCloud() (err error) {
	var relays []cloud.Relay
	for _, n := range w.Relays {
		relays = append(relays, w.accessTo(n))
	}
	w.Cloud, err = cloud.New(cloud.Options{
		Settings: w.options.Settings, Clock: w.Clock, Directories: []cloud.Directory{w.directory}, Relays: relays,
		Trace: w.Trace, Logger: w.log,
	})
	if err != nil {
		return fmt.Errorf("start the cloud: %w", err)
	}
	if w.Directory != nil {
		w.Directory.Hook(func(o fakead.Operation) fakead.Action {
			w.traceDirectory(o)
			return w.faults.onDirectory(o)
		})
	}
	w.seedCloud()
	w.issueTokens()
	return nil
}

// issueTokens draws the Graph tokens: of the administrator and of each of the company.
func (w *World) issueTokens() {
	w.tokens[adminName] = rand.Text()
	for _, u := range w.people {
		w.tokens[u.UPN] = rand.Text()
	}
	for _, s := range w.cloudOnly {
		if !s.admin {
			w.tokens[s.user.UPN] = rand.Text()
		}
	}
}

// Token is the Graph bearer token of a user; of the administrator for "admin".
func (w *World) Token(upn string) string { return w.tokens[upn] }
