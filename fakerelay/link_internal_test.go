package fakerelay

import (
	"testing"

	"passback/fakerelay/amqp"
)

// A link is looked up, and counted in a little later. What is deleted, replaced or reset between the two detaches it too.
func TestLinkToWhatIsDeletedMeanwhile(t *testing.T) {
	for name, end := range map[string]func(*Namespace) error{
		"deleted": func(n *Namespace) error { return n.DeleteQueue(DefaultQueue) },
		"replaced": func(n *Namespace) error {
			if err := n.DeleteQueue(DefaultQueue); err != nil {
				return err
			}
			return n.CreateQueue(QueueOptions{Name: DefaultQueue})
		},
		"reset": (*Namespace).Reset,
	} {
		for _, path := range []string{DefaultQueue, DefaultQueue + managementSuffix} {
			t.Run(name+"/"+path, func(t *testing.T) {
				n := RunT(t)
				c := &connection{ns: n, grants: make(map[string]*heldGrant), links: make(map[*entityLink]struct{})}
				defer c.forget()
				c.hold(grant{rights: Manage | Send | Listen})
				q, err := n.broker().Node(DefaultQueue)
				if err != nil {
					t.Fatal(err)
				}
				if err := end(n); err != nil {
					t.Fatal(err)
				}
				var why *amqp.Error
				l := &entityLink{path: path, queue: q, detach: func(e *amqp.Error) { why = e }}
				c.enter(l)
				defer c.exit(l)
				if why == nil || why.Condition != amqp.CondDetachForced {
					t.Errorf("detached with %v, want %s", why, amqp.CondDetachForced)
				}
			})
		}
	}
}
