package clock_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"passback/clock"
)

func TestAdvanceFiresInOrderAtEachInstant(t *testing.T) {
	c := clock.NewRunning()
	start := c.Now()
	var got []string
	note := func(name string) func() {
		return func() { got = append(got, fmt.Sprintf("%s@%s", name, c.Now().Sub(start).Round(time.Minute))) }
	}
	c.AfterFunc(3*time.Hour, note("third"))
	c.AfterFunc(1*time.Hour, note("first"))
	c.AfterFunc(1*time.Hour, note("second"))
	stopped := c.AfterFunc(2*time.Hour, note("stopped"))
	if !stopped.Stop() {
		t.Error("Stop of a waiting timer said that it was too late")
	}
	if n := c.Advance(90 * time.Minute); n != 2 {
		t.Errorf("fired %d timers, want 2", n)
	}
	c.Advance(90 * time.Minute)
	if want := []string{"first@1h0m0s", "second@1h0m0s", "third@3h0m0s"}; !slices.Equal(got, want) {
		t.Errorf("fired %v, want %v", got, want)
	}
	if stopped.Stop() {
		t.Error("a second Stop said that it kept the timer from firing")
	}
}

func TestAdvanceFiresWhatATimerStartsOnTheWay(t *testing.T) {
	c := clock.NewRunning()
	beats := 0
	var beat func()
	beat = func() {
		beats++
		c.AfterFunc(5*time.Minute, beat)
	}
	c.AfterFunc(5*time.Minute, beat)
	c.Advance(time.Hour + time.Minute)
	if beats != 12 {
		t.Errorf("%d beats in an hour, want one each five minutes", beats)
	}
}

// What falls due by real time while Advance is calling is called by it too, so that all is done when it returns.
func TestAdvanceCallsOneAfterTheOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewRunning()
		var got []string
		c.AfterFunc(time.Minute, func() {
			c.AfterFunc(time.Hour, func() {})
			time.Sleep(time.Second) // in which the next one falls due
			got = append(got, "first")
		})
		c.AfterFunc(time.Minute+time.Millisecond, func() { got = append(got, "second") })
		c.Advance(2 * time.Minute)
		if want := []string{"first", "second"}; !slices.Equal(got, want) {
			t.Errorf("called %v when Advance returned, want %v", got, want)
		}
	})
}

func TestRunsWithRealTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewRunning()
		c.Advance(24 * time.Hour)
		fired := make(chan time.Time, 1)
		before := c.Now()
		c.AfterFunc(time.Minute, func() { fired <- c.Now() })
		if got := (<-fired).Sub(before); got != time.Minute {
			t.Errorf("fired after %s, want 1m", got)
		}
	})
}

func TestNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := clock.NewRunning()
		before := c.Now()
		c.Advance(-time.Hour)
		if c.Now().Before(before) {
			t.Error("a negative Advance moved the clock back")
		}
	})
}

func TestSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		start := time.Now()
		if err := clock.Sleep(ctx, clock.Real(), time.Hour); err != nil || time.Since(start) != time.Hour {
			t.Errorf("Sleep returned %v after %s", err, time.Since(start))
		}
		cause := errors.New("shutting down")
		time.AfterFunc(time.Minute, func() { cancel(cause) })
		if err := clock.Sleep(ctx, clock.Real(), time.Hour); !errors.Is(err, cause) {
			t.Errorf("Sleep returned %v, want the cause", err)
		}
	})
}

func ExampleRunning_Advance() {
	c := clock.NewRunning()
	c.AfterFunc(30*time.Minute, func() { fmt.Println("lockout ends") })
	c.Advance(time.Hour + time.Minute)
	// Output: lockout ends
}
