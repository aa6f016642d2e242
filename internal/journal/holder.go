package journal

import (
	"fmt"
	"os"
)

// Liveness is what can be proven of a process.
type Liveness int

// What can be proven of a process.
const (
	Unsure Liveness = iota // it is out of sight: on another machine, in another pid namespace, or unreadable
	Living
	Dead
)

func (l Liveness) String() string {
	switch l {
	case Living:
		return "living"
	case Dead:
		return "dead"
	default:
		return "unsure"
	}
}

// Self is the process that asks.
func Self() (Holder, error) {
	host, err := os.Hostname()
	if err != nil {
		return Holder{}, fmt.Errorf("read host name: %w", err)
	}
	h := Holder{Host: host, PID: os.Getpid()}
	h.Boot, h.Machine, h.Space = surroundings()
	h.Start, _ = startOf(h.PID)
	return h, nil
}

// Alive says whether the process h lives, as far as the process self can prove it.
//
// On the same host, boot and pid namespace the kernel knows. A process of another boot of the same machine is dead;
// but host names are not unique (every container may be called localhost), so this needs the machine's id. What is in
// doubt is Unsure, and its lease is waited for.
func Alive(h, self Holder) Liveness {
	switch {
	case h.Host != self.Host || h.Machine != self.Machine || h.Boot == "" || self.Boot == "":
		return Unsure
	case h.Boot != self.Boot:
		if h.Machine == "" {
			return Unsure
		}
		return Dead
	case h.Space != self.Space || h.PID <= 0:
		return Unsure
	case h == self:
		return Living
	case gone(h.PID):
		return Dead
	}
	start, zombie := startOf(h.PID)
	switch {
	case zombie:
		return Dead
	case start == "" || h.Start == "":
		return Unsure
	case start != h.Start: // the pid was given to another process
		return Dead
	default:
		return Living
	}
}

// aliveHere is Alive as seen from this process.
func aliveHere() func(Holder) Liveness {
	self, err := Self()
	if err != nil {
		return func(Holder) Liveness { return Unsure }
	}
	return func(h Holder) Liveness { return Alive(h, self) }
}
