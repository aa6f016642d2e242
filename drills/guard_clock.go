package drills

import (
	"context"
	"time"
)

// clockApart is how far our clock may be from AWS's. Limits are written where AWS keeps them, as the end of a denial and
// the time of a dead-man's call, and a margin of that much lies behind them.
const clockApart = 2 * time.Minute

// checkClock asks AWS for the time: a runner far behind or ahead would leave something in place beyond the limit.
func (st *Steps) checkClock(ctx context.Context, _ *Plan, f *found) *Refusal {
	ask := st.World.Dates["aws"]
	if ask == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, lookTime)
	defer cancel()
	before := st.World.Clock.Now()
	at, err := ask(ctx)
	if err != nil {
		f.warning("the clock of AWS cannot be read: %v", err)
		return nil
	}
	if off := at.Sub(before).Round(time.Second); off > clockApart || off < -clockApart {
		return refuse("clock", "set this machine's clock: timedatectl set-ntp true", "our clock is %s off from that of AWS, and %s is the most that limits allow for", -off, short(clockApart))
	}
	return nil
}
