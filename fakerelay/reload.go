package fakerelay

import (
	"time"

	"passback/clock"
)

// reloadDelay is how long an update takes to reach the links of its entity. The service's takes a while too:
// azservicebus's tests count on getting a message out before.
const reloadDelay = 500 * time.Millisecond

// reload detaches the links to what was updated: those that there are now, a little later.
func (n *Namespace) reload(concerns func(path string) bool) {
	var links []*entityLink
	for _, c := range n.connections() {
		for _, l := range c.openLinks() {
			if concerns(l.path) {
				links = append(links, l)
			}
		}
	}
	clock.Real().AfterFunc(reloadDelay, func() {
		for _, l := range links {
			l.detach(l.gone())
		}
	})
}
