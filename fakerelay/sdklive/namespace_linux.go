package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// The tests with wrong credentials ask this host, which must not be there.
const hosts = "127.0.0.1 localhost\n127.0.0.1 login.microsoftonline.com\n"

var errNoNamespaces = errors.New("could not run: it needs a network and a mount namespace of its own, which this user " +
	"may not make here; run it as root (in a container: with CAP_SYS_ADMIN)")

// isolated runs this program once more, in a network and a mount namespace, with the plan in a file.
func isolated(ctx context.Context, planFile string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	flags := uintptr(unix.CLONE_NEWNET | unix.CLONE_NEWNS)
	c, err := inside(ctx, self, planFile, &syscall.SysProcAttr{Cloneflags: flags, Pdeathsig: syscall.SIGTERM})
	if refusesNamespaces(err) { // not root, or root of a container: as root of a user namespace it may go
		c, err = inside(ctx, self, planFile, &syscall.SysProcAttr{
			Cloneflags: flags | unix.CLONE_NEWUSER, Pdeathsig: syscall.SIGTERM,
			UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
			GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
		})
	}
	switch {
	case refusesNamespaces(err):
		return fmt.Errorf("%w (%w)", errNoNamespaces, err)
	case err != nil:
		return fmt.Errorf("start in namespaces: %w", err)
	}
	if c.Wait() != nil {
		return errFailed // it has said why
	}
	return nil
}

func inside(ctx context.Context, self, planFile string, where *syscall.SysProcAttr) (*exec.Cmd, error) {
	c := command(ctx, "", self, "-inside", planFile)
	c.Stdout, c.Stderr = os.Stdout, os.Stderr
	c.SysProcAttr = where
	return c, c.Start() //nolint:wrapcheck // looked at by the caller
}

func refusesNamespaces(err error) bool {
	return errors.Is(err, unix.EPERM) || errors.Is(err, unix.EACCES) || errors.Is(err, unix.ENOSPC)
}

// furnish makes the namespaces what the tests want: a loopback interface, and a hosts file of their own.
func furnish(dir string) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("%w: make mounts private: %w", errNoNamespaces, err)
	}
	file := filepath.Join(dir, "hosts")
	if err := os.WriteFile(file, []byte(hosts), 0o600); err != nil {
		return fmt.Errorf("write a hosts file: %w", err)
	}
	if err := unix.Mount(file, "/etc/hosts", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("%w: mount a hosts file: %w", errNoNamespaces, err)
	}
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(socket) //nolint:errcheck // nothing was written to it
	loopback, err := unix.NewIfreq("lo")
	if err != nil {
		return fmt.Errorf("name the loopback interface: %w", err)
	}
	loopback.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, loopback); err != nil {
		return fmt.Errorf("%w: start the loopback interface: %w", errNoNamespaces, err)
	}
	return nil
}
