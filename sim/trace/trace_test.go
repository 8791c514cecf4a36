package trace_test

import (
	"fmt"
	"testing"

	"passback/sim/trace"
)

func TestHopsOfAnAnswerJoinTheirRequest(t *testing.T) {
	var r trace.Recorder
	r.Add("request", trace.Cloud, "sent", "")
	r.Add("message-7", trace.Relay, "enqueue", "")
	r.Alias("message-7", "request")
	r.Add("message-7", trace.Relay, "complete", "")
	var got []string
	for _, h := range r.Of("request") {
		got = append(got, h.What)
	}
	if fmt.Sprint(got) != "[sent enqueue complete]" {
		t.Errorf("hops %v", got)
	}
	if ids := r.IDs(); len(ids) != 1 || ids[0] != "request" {
		t.Errorf("operations %v", ids)
	}
}

func TestRecorderIsBounded(t *testing.T) {
	var r trace.Recorder
	for i := range 1500 {
		id := fmt.Sprint(i)
		for range 3 {
			r.Add(id, trace.Relay, "enqueue", "")
		}
	}
	for range 500 {
		r.Add("1499", trace.Relay, "deliver", "")
	}
	if n := len(r.IDs()); n != 1000 || r.IDs()[0] != "1499" || r.Of("0") != nil {
		t.Errorf("%d operations, the newest %s", n, r.IDs()[0])
	}
	if n := len(r.Of("1499")); n != 200 {
		t.Errorf("%d hops of one operation", n)
	}
}

func TestNilRecorderRecordsNothing(t *testing.T) {
	var r *trace.Recorder
	r.Add("1", trace.Cloud, "sent", "")
	r.Alias("2", "1")
	if r.Of("1") != nil || r.IDs() != nil {
		t.Error("it did")
	}
}
