package ordeal_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Three networks: the test's own process is the cloud, with the relay; the agent and the directory are in namespaces of
// their own (network_namespaces(7), ip-netns(8)), each joined to the two others by a veth pair (veth(4)). The test runs
// itself once more in a new network and mount namespace, so that whatever it makes goes when it ends; addresses are
// those of documentation (RFC 5737), in these namespaces only.

const (
	agentSpace, directorySpace = "agent", "directory"

	cloudIP     = "192.0.2.1"    // towards the agent 192.0.2.2
	directoryIP = "198.51.100.1" // towards the agent 198.51.100.2; the cloud reads it through 203.0.113.0/24

	inNamespaces = "PASSBACK_IN_NAMESPACES"
)

// networkScript builds it, in the cloud's namespace. Without IPv6 the kernel sends nothing of its own.
const networkScript = `
ip link set lo up
mount -t tmpfs tmpfs /run/netns
ip netns add agent
ip netns add directory
ip netns exec agent sh -c 'for f in /proc/sys/net/ipv6/conf/*/disable_ipv6; do test ! -e $f || echo 1 > $f; done'
ip link add cloud-agent type veth peer name agent-cloud netns agent
ip link add cloud-dc type veth peer name dc-cloud netns directory
ip -n agent link add agent-dc type veth peer name dc-agent netns directory
ip addr add 192.0.2.1/24 dev cloud-agent
ip addr add 203.0.113.1/24 dev cloud-dc
ip link set cloud-agent up
ip link set cloud-dc up
ip -n agent addr add 192.0.2.2/24 dev agent-cloud
ip -n agent addr add 198.51.100.2/24 dev agent-dc
ip -n agent link set agent-cloud up
ip -n agent link set agent-dc up
ip -n directory addr add 198.51.100.1/24 dev dc-agent
ip -n directory addr add 203.0.113.2/24 dev dc-cloud
ip -n directory link set dc-agent up
ip -n directory link set dc-cloud up
ip route add 198.51.100.1/32 via 203.0.113.2
`

// inOwnNamespaces runs the test again where it may build networks, and reports whether this is that run. It skips where
// that cannot be.
func inOwnNamespaces(t *testing.T) bool {
	t.Helper()
	if os.Getenv(inNamespaces) != "" {
		return true
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make network namespaces and firewall rules")
	}
	for tool, from := range map[string]string{"ip": "iproute2", "nft": "nftables"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("needs %s (package %s)", tool, from)
		}
	}
	if err := os.MkdirAll("/run/netns", 0o755); err != nil {
		t.Skipf("needs /run/netns: %v", err)
	}
	arguments := []string{"-test.run", "^" + t.Name() + "$", "-test.v"}
	again := exec.Command(os.Args[0], arguments...)
	again.Env = append(os.Environ(), inNamespaces+"=1")
	again.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	out, err := again.CombinedOutput()
	t.Logf("in namespaces of its own:\n%s", out)
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("needs the right to make namespaces")
	case err != nil:
		t.Fatal(err)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skip("skipped in its namespaces")
	}
	return false
}

func buildNetwork(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("sh", "-e", "-x", "-c", networkScript).CombinedOutput(); err != nil {
		t.Fatalf("build the network: %v\n%s", err, out)
	}
}

// within calls f in another namespace: the sockets that it makes itself belong there, whoever serves them.
func within(namespace string, f func() error) (err error) {
	runtime.LockOSThread()
	here, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return err
	}
	defer here.Close()
	there, err := os.Open("/run/netns/" + namespace)
	if err != nil {
		return err
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the namespace %s: %w", namespace, err)
	}
	err = f()
	if back := unix.Setns(int(here.Fd()), unix.CLONE_NEWNET); back != nil {
		return errors.Join(err, back) // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}
