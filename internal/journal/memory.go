package journal

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Memory is a store for tests: it keeps to the whole contract but forgets everything with the process, and can be told
// to fail. It is safe for use by many goroutines.
type Memory struct {
	// Alive proves whether a lease's holder lives; tests replace it.
	Alive func(Holder) Liveness

	mu      sync.Mutex
	runs    map[string]*memoryRun
	leases  map[string]*office
	appends int
	before  rule
	after   rule
	lost    error
}

type memoryRun struct {
	batches map[int64][]byte
	summary Summary
}

// rule answers err to the appends from the first to the last.
type rule struct {
	first, last int
	err         error
}

func (r rule) on(n int) error {
	if r.err != nil && n >= r.first && n <= r.last {
		return r.err
	}
	return nil
}

var _ Store = (*Memory)(nil)

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{Alive: aliveHere(), runs: map[string]*memoryRun{}, leases: map[string]*office{}}
}

// FailFrom makes the n-th append, counted from 1 since the store was made, and all after it fail with err, unwritten.
// A nil err ends it.
func (m *Memory) FailFrom(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.before = rule{first: n, last: int(^uint(0) >> 1), err: err}
}

// FailAfterWriting makes the n-th append write its batch and answer err all the same, as when an answer is lost.
func (m *Memory) FailAfterWriting(n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.after = rule{first: n, last: n, err: err}
}

// Lose makes every call from now on fail with err; nil brings the store back.
func (m *Memory) Lose(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.lost = err
}

// Appends is how often Append was called, whatever came of it.
func (m *Memory) Appends() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.appends
}

// enter is the first line of every call: it takes the lock and says why the call may not go on.
func (m *Memory) enter(ctx context.Context) (leave func(), err error) {
	m.mu.Lock()
	if err := ctx.Err(); err != nil {
		return m.mu.Unlock, err
	}
	return m.mu.Unlock, m.lost
}

// Append is Store's.
func (m *Memory) Append(ctx context.Context, run string, after int64, gen int, b Batch) error {
	leave, err := m.enter(ctx)
	defer leave()
	m.appends++
	if err != nil {
		return err
	}
	if err := m.before.on(m.appends); err != nil {
		return err
	}
	events, data, err := encodeBatch(run, after, gen, b)
	if err != nil {
		return err
	}
	r := m.runs[run]
	if r == nil {
		r = &memoryRun{batches: map[int64][]byte{}}
		m.runs[run] = r
	}
	if _, taken := r.batches[after+1]; taken {
		return ErrConflict
	}
	r.batches[after+1] = data
	r.summary = summarize(r.summary, events)
	return m.after.on(m.appends)
}

// Load is Store's.
func (m *Memory) Load(ctx context.Context, run string, after int64) ([]Event, error) {
	leave, err := m.enter(ctx)
	defer leave()
	r := m.runs[run]
	if err != nil || r == nil {
		return nil, err
	}
	var events []Event
	for _, seq := range slices.Sorted(maps.Keys(r.batches)) {
		if seq <= after {
			continue
		}
		batch, err := decodeBatch(run, seq, r.batches[seq])
		if err != nil {
			return nil, err
		}
		events = append(events, batch...)
	}
	return events, nil
}

// Runs is Store's.
func (m *Memory) Runs(ctx context.Context, f Filter) ([]Summary, error) {
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return nil, err
	}
	var out []Summary
	for _, r := range m.runs {
		if s := r.summary; f.takes(s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Planned.Compare(a.Planned), cmp.Compare(b.Run, a.Run))
	})
	if f.Limit > 0 && len(out) > f.Limit {
		out = out[:f.Limit]
	}
	return out, nil
}

func (f Filter) takes(s Summary) bool {
	return !isLever(s.Run) && (f.Environment == "" || f.Environment == s.Environment) &&
		(f.Drill == "" || f.Drill == s.Drill) &&
		strings.HasPrefix(s.Run, f.Prefix) &&
		!(f.Unfinished && s.Finished)
}

// Take is Store's.
func (m *Memory) Take(ctx context.Context, name, run string, h Holder, ttl time.Duration, now time.Time) (Lease, error) { //nolint:revive // a claim, spelled out by the contract
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return Lease{}, err
	}
	l, err := take(m.leases[name], claim{Name: name, Run: run, Holder: h, TTL: ttl, Now: now}, m.Alive)
	if err != nil {
		return Lease{}, err
	}
	m.leases[name] = &office{Lease: l}
	return l, nil
}

// Renew is Store's.
func (m *Memory) Renew(ctx context.Context, l Lease, ttl time.Duration, now time.Time) (Lease, error) {
	leave, err := m.enter(ctx)
	defer leave()
	o := m.leases[l.Name]
	switch {
	case err != nil:
		return Lease{}, err
	case !o.owns(l):
		return Lease{}, ErrStale
	}
	o.Expires = micros(now.Add(ttl))
	return o.Lease, nil
}

// Release is Store's.
func (m *Memory) Release(ctx context.Context, l Lease) error {
	leave, err := m.enter(ctx)
	defer leave()
	if o := m.leases[l.Name]; err == nil && o.owns(l) {
		o.Free = true
	}
	return err
}

// Held is Store's.
func (m *Memory) Held(ctx context.Context, run string) ([]Lease, error) {
	leave, err := m.enter(ctx)
	defer leave()
	if err != nil {
		return nil, err
	}
	var out []Lease
	for _, name := range slices.Sorted(maps.Keys(m.leases)) {
		if o := m.leases[name]; !o.Free && (run == "" || o.Run == run) {
			out = append(out, o.Lease)
		}
	}
	return out, nil
}

// Close is Store's; what is in the store stays, for the next reader in the test.
func (m *Memory) Close() error { return nil }
