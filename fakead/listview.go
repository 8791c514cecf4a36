package fakead

// Virtual list views, draft-ietf-ldapext-ldapv3-vlv-09 and MS-ADTS 3.1.1.3.4.1.17: some entries around one of a sorted
// answer, which is named by its position or by what it is sorted by. The whole is sorted anew for each request: a
// contextID is taken and not given.

import (
	"math"
	"slices"

	"passback/fakead/tree"
)

const (
	oidListView         = "2.16.840.1.113730.3.4.9"
	oidListViewResponse = "2.16.840.1.113730.3.4.10"
)

// A listView is VirtualListViewRequest.
type listView struct {
	before, after int
	offset, count int    // byOffset; count: how many the client believes there are, 0 if it has no idea
	from          []byte // greaterThanOrEqual; nil: byOffset
}

// A listViewAnswer is VirtualListViewResponse.
type listViewAnswer struct {
	asked         bool
	target, count int
	code          int
}

// listView reads the control, which means nothing on an answer that is not sorted.
func (s *Server) listView(req *request, order sortOrder) (view *listView, answer listViewAnswer, refusal result) {
	c, ok := req.control(oidListView)
	if !ok {
		return nil, listViewAnswer{}, result{}
	}
	view, ok = decodeListView(c.value)
	switch {
	case !ok && c.critical:
		return nil, listViewAnswer{}, s.failedControl()
	case !ok:
		return nil, listViewAnswer{}, result{}
	case order.attribute != nil:
		return view, listViewAnswer{asked: true}, result{}
	}
	answer = listViewAnswer{asked: true, code: codeSortControlMissing}
	if c.critical {
		refusal = s.failedControl()
		refusal.controls = answer.response()
	}
	return nil, answer, refusal
}

// cut returns the part of a sorted answer that is in view; entries without the sort key are in none.
func (v *listView) cut(entries []*tree.Entry, order sortOrder, value func(*tree.Entry) []byte) ([]*tree.Entry, listViewAnswer) {
	entries = slices.DeleteFunc(slices.Clone(entries), func(e *tree.Entry) bool { return value(e) == nil })
	answer := listViewAnswer{asked: true, count: len(entries)}
	if v.from != nil {
		answer.target = 1 + slices.IndexFunc(entries, func(e *tree.Entry) bool {
			c := order.attribute.Compare(value(e), v.from)
			return c == 0 || c > 0 != order.reverse
		})
		if answer.target == 0 {
			answer.target = len(entries) + 1
		}
	} else {
		answer.target = v.position(len(entries))
	}
	first, last := max(answer.target-v.before, 1), min(answer.target+v.after, len(entries))
	if first > last {
		return nil, answer
	}
	return entries[first-1 : last], answer
}

// position is where the target lies, from 1: what the client names among as many as it believes there are, scaled to
// as many as there are. 0 and what is too great mean the last.
func (v *listView) position(n int) int {
	switch {
	case v.offset == 0 || v.offset == v.count:
		return n
	case v.count == 0:
		return min(v.offset, n)
	default:
		return min(max(v.offset*n/v.count, 1), n)
	}
}

// response is the control of the answer: SEQUENCE { targetPosition, contentCount, virtualListViewResult }.
func (a listViewAnswer) response() []control {
	if !a.asked {
		return nil
	}
	var w berWriter
	sequence := w.open(berSequence)
	w.number(berInteger, int64(a.target))
	w.number(berInteger, int64(a.count))
	w.number(berEnumerated, int64(a.code))
	w.close(sequence)
	return []control{{oid: oidListViewResponse, value: w.out}}
}

// decodeListView reads SEQUENCE { beforeCount, afterCount, byOffset [0] or greaterThanOrEqual [1], contextID OPTIONAL }.
func decodeListView(value []byte) (*listView, bool) {
	const byOffset, greaterThanOrEqual = berContext | berConstructed, berContext | 1
	outer := berReader{rest: value}
	r := outer.inside(berSequence)
	v := &listView{before: r.count(), after: r.count()}
	if r.follows(byOffset) {
		target := r.inside(byOffset)
		v.offset, v.count = target.count(), target.count()
		r.bad = r.bad || target.bad || target.more()
	} else {
		v.from = append([]byte{}, r.take(greaterThanOrEqual)...)
	}
	if r.more() {
		r.text()
	}
	return v, !r.bad && !r.more() && !outer.more()
}

// count takes INTEGER (0 .. maxInt).
func (r *berReader) count() int {
	n := r.number(berInteger)
	if n < 0 || n > math.MaxInt32 {
		r.fail()
	}
	return int(n)
}
