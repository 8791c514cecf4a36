package ordeal_test

import (
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os/exec"
	"strings"

	"passback/writeback"
)

// The firewall of the agent's namespace (nft(8)): inbound connections are dropped and counted, outbound ones go where
// the agent's configuration says, and are counted, and the rest is dropped and counted.
const ruleset = `
table inet passback {
	counter inbound {}
	counter stray {}
	counter cloud {}
	counter directory {}
	counter elsewhere {}
	chain input {
		type filter hook input priority 0; policy drop;
		ct state established,related accept
		tcp flags & (syn | ack) != syn counter name stray drop
		counter name inbound drop
	}
	chain output {
		type filter hook output priority 0; policy drop;
		ct state established,related accept
		tcp flags & (syn | ack) != syn counter name stray drop
		%s
		counter name elsewhere drop
	}
}`

// An opening is one peer that the agent may connect to.
type opening struct{ counter, address string }

// openingsOf reads them from the configuration: the cloud and its relay, or the proxy in their place; the directories.
func openingsOf(c writeback.Config, proxy string, relays ...string) ([]opening, error) {
	cloud, err := url.Parse(c.Cloud)
	if err != nil {
		return nil, err
	}
	var all []opening
	if proxy != "" {
		all = append(all, opening{"cloud", proxy})
	} else {
		for _, address := range append(relays, cloud.Host) {
			all = append(all, opening{"cloud", address})
		}
	}
	for _, d := range c.Directories {
		for _, address := range d.Servers {
			all = append(all, opening{"directory", address})
		}
	}
	return all, nil
}

// wallIn puts the firewall up, in the agent's namespace.
func wallIn(openings []opening) error {
	var rules []string
	for _, o := range openings {
		host, port, err := net.SplitHostPort(o.address)
		if err != nil {
			return err
		}
		rules = append(rules, fmt.Sprintf("ip daddr %s tcp dport %s counter name %s accept", host, port, o.counter))
	}
	text := fmt.Sprintf(ruleset, strings.Join(rules, "\n\t\t"))
	for _, command := range []string{"flush ruleset", text} {
		nft := exec.Command("ip", "netns", "exec", agentSpace, "nft", "-f", "-")
		nft.Stdin = strings.NewReader(command)
		if out, err := nft.CombinedOutput(); err != nil {
			return fmt.Errorf("nft: %w\n%s", err, out)
		}
	}
	return nil
}

// counters reads how many packets each has met.
func counters() (map[string]int, error) {
	out, err := exec.Command("ip", "netns", "exec", agentSpace, "nft", "-j", "list", "counters").Output()
	if err != nil {
		return nil, fmt.Errorf("nft: %w", err)
	}
	var listed struct {
		NFTables []struct {
			Counter *struct {
				Name    string `json:"name"`
				Packets int    `json:"packets"`
			} `json:"counter"`
		} `json:"nftables"`
	}
	if err := json.Unmarshal(out, &listed); err != nil {
		return nil, err
	}
	all := map[string]int{}
	for _, item := range listed.NFTables {
		if item.Counter != nil {
			all[item.Counter.Name] = item.Counter.Packets
		}
	}
	return all, nil
}
