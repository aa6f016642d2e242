package journal

import (
	"strings"
	"time"
)

// office is the state of one lease as a store keeps it. It stays when the lease is let go, so that the generation
// never falls.
type office struct {
	Lease
	Free bool
}

// claim is somebody's wish for a lease.
type claim struct {
	Name, Run string
	Holder    Holder
	TTL       time.Duration
	Now       time.Time
}

// take decides on a claim: o is what stands (nil when nobody ever had the lease), alive says whether its holder lives.
func take(o *office, c claim, alive func(Holder) Liveness) (Lease, error) {
	l := Lease{Name: c.Name, Run: c.Run, Gen: 1, Holder: c.Holder, Expires: micros(c.Now.Add(c.TTL))}
	if o == nil {
		return l, nil
	}
	l.Gen = o.Gen + 1
	switch {
	case o.Free:
		return l, nil
	case !isRunLease(c.Name):
		// A target belongs to its run: expired or not, with or without a living holder, another run would take that
		// run's fault for the state to restore.
		if o.Run == c.Run {
			return l, nil
		}
	case !c.Now.Before(o.Expires), alive(o.Holder) == Dead:
		return l, nil
	}
	return Lease{}, &HeldError{Lease: o.Lease}
}

// owns says whether l is still the lease that stands.
func (o *office) owns(l Lease) bool {
	return o != nil && !o.Free && o.Gen == l.Gen && o.Run == l.Run
}

func isRunLease(name string) bool { return strings.HasPrefix(name, RunLease("")) }
