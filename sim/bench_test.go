package sim_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/pprof/profile"

	"passback/fakead"
	"passback/sim"
	"passback/sim/cloud"
	"passback/sim/trace"
	"passback/writeback/protocol"
)

// The benchmarks behind `make bench`: whole resets, end to end, beside the private-key operation that the real
// service's encryption costs (RSA-2048), on the same cores in the same run.

func BenchmarkReset(b *testing.B) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		b.Fatal(err)
	}
	for _, at := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("at=%d", at), func(b *testing.B) { benchmarkResets(b, at, &rsaBeside{key: key}) })
	}
}

func benchmarkResets(b *testing.B, at int, beside *rsaBeside) {
	defer debug.SetGCPercent(debug.SetGCPercent(sim.CollectAt)) // as the sandbox does
	w := sim.RunT(b, sim.Options{EmptyCompany: true})
	people := benchCompany(b, w, companySize)
	took := make([][]time.Duration, at)
	cpu := profileCPU(b)
	b.ResetTimer()
	for turn := range turns {
		b.StopTimer()
		beside.measure(b)
		b.StartTimer()
		from, to := b.N*turn/turns, b.N*(turn+1)/turns
		pprof.Do(b.Context(), pprof.Labels(sim.PartLabel, string(trace.Cloud)), func(ctx context.Context) {
			var all sync.WaitGroup
			for worker := range at {
				all.Go(func() {
					own := people[worker*companySize/at : (worker+1)*companySize/at] // one operation a user at a time
					for i := from + worker; i < to; i += at {
						person := own[i/at%len(own)]
						start := time.Now()
						r := w.Cloud.Perform(ctx, cloud.Ask{Way: cloud.PortalReset, User: person, New: benchPassword(i)})
						took[worker] = append(took[worker], time.Since(start))
						if r.Outcome != protocol.Success {
							b.Errorf("reset %d: %s: %s", i, r.Outcome, r.AdminText)
							return
						}
					}
				})
			}
			all.Wait()
		})
	}
	b.StopTimer()
	cpu.report(b, beside.done)
	latencies := slices.Concat(took...)
	slices.Sort(latencies)
	rate := float64(b.N) / b.Elapsed().Seconds()
	b.ReportMetric(rate, "resets/s")
	b.ReportMetric(float64(latencies[len(latencies)/2].Microseconds())/1000, "p50-ms")
	b.ReportMetric(float64(latencies[len(latencies)*99/100].Microseconds())/1000, "p99-ms")
	b.ReportMetric(beside.rate(), "RSA/s")
	b.ReportMetric(rate/beside.rate(), "of-RSA-2048")
}

// benchCompany adds people who may be reset as often as one likes.
func benchCompany(b testing.TB, w *sim.World, n int) []string {
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

// A cpuSplit tells what each part of the world took of the processor's time, and what the operations beside it took.
type cpuSplit struct{ profile *bytes.Buffer }

func profileCPU(b *testing.B) cpuSplit {
	s := cpuSplit{new(bytes.Buffer)}
	if err := pprof.StartCPUProfile(s.profile); err != nil {
		b.Logf("no split by part: %v", err) // -cpuprofile has it
		return cpuSplit{}
	}
	return s
}

// report adds a metric for each part, one for what has no label (collecting garbage, timers and the scheduler), and the
// share by processor's time: other programs on the machine change the rates more than that.
func (s cpuSplit) report(b *testing.B, rsaDone int64) {
	if s.profile == nil {
		return
	}
	pprof.StopCPUProfile()
	p, err := profile.Parse(s.profile)
	if err != nil {
		b.Fatal(err)
	}
	took := map[string]time.Duration{"runtime": 0}
	for _, part := range []trace.Place{trace.Cloud, trace.Relay, trace.Agent, trace.Directory} {
		took[string(part)] = 0
	}
	for _, sample := range p.Sample {
		part := "runtime"
		if labels := sample.Label[sim.PartLabel]; len(labels) > 0 {
			part = labels[0]
		}
		took[part] += time.Duration(sample.Value[1]) // samples/count, cpu/nanoseconds
	}
	anRSA := took[rsaPart].Seconds() * 1000 / float64(rsaDone)
	delete(took, rsaPart)
	var all float64
	for part, d := range took {
		ms := d.Seconds() * 1000 / float64(b.N)
		b.ReportMetric(ms, part+"-cpu-ms")
		all += ms
	}
	b.ReportMetric(all, "all-cpu-ms")
	b.ReportMetric(anRSA, "RSA-cpu-ms")
	b.ReportMetric(anRSA/all, "of-RSA-2048-by-cpu")
}

// rsaBeside are private-key operations on the same cores, in turns with the resets: what else the machine does changes
// from one second to the next.
type rsaBeside struct {
	key  *rsa.PrivateKey
	done int64
	took time.Duration
}

func (r *rsaBeside) measure(b *testing.B) {
	digest := sha256.Sum256([]byte("a private-key operation"))
	var done atomic.Int64
	var all sync.WaitGroup
	start := time.Now()
	pprof.Do(b.Context(), pprof.Labels(sim.PartLabel, rsaPart), func(context.Context) {
		for range runtime.GOMAXPROCS(0) {
			all.Go(func() {
				for time.Since(start) < rsaTime {
					if _, err := rsa.SignPKCS1v15(rand.Reader, r.key, crypto.SHA256, digest[:]); err != nil {
						b.Error(err)
					}
					done.Add(1)
				}
			})
		}
	})
	all.Wait()
	r.done, r.took = r.done+done.Load(), r.took+time.Since(start)
}

func (r *rsaBeside) rate() float64 { return float64(r.done) / r.took.Seconds() }

const rsaPart = "RSA"

// companySize keeps each person's resets few, as they are: who is reset hundreds of times within the hour has hundreds of markers,
// and the benchmark would be of reading those.
const companySize = 1024

const (
	turns   = 5
	rsaTime = 400 * time.Millisecond // of each turn
)
