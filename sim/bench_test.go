package sim_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/writeback/protocol"
)

// The benchmarks behind `make bench`: whole resets, end to end, beside the private-key operation that the real
// service's encryption costs (RSA-2048), on the same cores in the same run.

func BenchmarkReset(b *testing.B) {
	for _, at := range []int{1, 16} {
		b.Run(fmt.Sprintf("at=%d", at), func(b *testing.B) { benchmarkResets(b, at) })
	}
}

func benchmarkResets(b *testing.B, at int) {
	w := sim.RunT(b, sim.Options{EmptyCompany: true})
	people := benchCompany(b, w, at)
	took := make([][]time.Duration, at)
	var all sync.WaitGroup
	b.ResetTimer()
	for worker := range at {
		all.Go(func() {
			for i := worker; i < b.N; i += at {
				start := time.Now()
				r := w.Cloud.Perform(b.Context(), cloud.Ask{Way: cloud.PortalReset, User: people[worker], New: benchPassword(i)})
				took[worker] = append(took[worker], time.Since(start))
				if r.Outcome != protocol.Success {
					b.Errorf("reset %d: %s: %s", i, r.Outcome, r.AdminText)
					return
				}
			}
		})
	}
	all.Wait()
	b.StopTimer()
	latencies := slices.Concat(took...)
	slices.Sort(latencies)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "resets/s")
	b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds())/1000, "p99-ms")
}

// benchCompany adds people who may be reset as often as one likes.
func benchCompany(b *testing.B, w *sim.World, n int) []string {
	policy := w.Directory.Policy()
	policy.MinAge = 0
	w.Directory.SetPolicy(policy)
	var people []string
	for i := range n {
		name := fmt.Sprintf("person%d", i)
		if err := w.Directory.AddUser(fakead.User{SAM: name, UPN: name + "@corp.example", Password: benchPassword(-1 - i).Reveal()}); err != nil {
			b.Fatal(err)
		}
		people = append(people, name+"@corp.example")
	}
	if err := w.Synchronise(b.Context()); err != nil {
		b.Fatal(err)
	}
	return people
}

func benchPassword(i int) protocol.Secret {
	return protocol.NewSecret(fmt.Sprintf("Nine-Green-Kites-%d", i))
}

func BenchmarkRSA2048(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("a private-key operation"))
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, digest[:]); err != nil {
				b.Error(err)
			}
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "operations/s")
}
