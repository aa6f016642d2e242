package aws

import (
	"math"
	"time"
)

// bucket is the capacity of one table in one direction: it refills at rate units a second and banks what is not
// used, up to bank seconds of it. The zero value has no limit.
type bucket struct {
	limited bool
	rate    float64
	bank    time.Duration
	tokens  float64
	at      time.Time
}

// limit sets a new rate from now on. What is banked stays, as a real table may keep it: the cautious reading of a
// question AWS leaves open. A bucket that had no limit starts with a full bank of the new rate.
func (b *bucket) limit(rate float64, bank time.Duration, now time.Time) {
	b.refill(now)
	if !b.limited {
		b.tokens = full(rate, bank)
	}
	b.limited, b.rate, b.bank, b.at = true, rate, bank, now
}

// full is the most a bucket banks; at least one unit, or nothing would ever pass.
func full(rate float64, bank time.Duration) float64 { return max(rate*bank.Seconds(), 1) }

func (b *bucket) refill(now time.Time) {
	if passed := now.Sub(b.at).Seconds(); b.limited && passed > 0 {
		if most := full(b.rate, b.bank); b.tokens < most {
			b.tokens = min(b.tokens+passed*b.rate, most)
		}
		b.at = now
	}
}

// take uses units, or says that they are not there. A request larger than the whole bank passes when it is full.
func (b *bucket) take(units float64, now time.Time) bool {
	if !b.limited {
		return true
	}
	b.refill(now)
	if b.tokens+1e-9 < min(units, full(b.rate, b.bank)) {
		return false
	}
	b.tokens -= units
	return true
}

// The decreases a table may have (ServiceQuotas.html): four at midnight UTC, one more each hour, never more than
// four banked, 27 a day.
const (
	bankedDecreases = 4
	dailyDecreases  = 27
)

// decreases counts how often capacity was lowered. The zero value has them all left.
type decreases struct {
	day    time.Time
	hour   int
	banked int
	today  int
}

// roll brings the count to now.
func (d *decreases) roll(now time.Time) {
	now = now.UTC()
	day := now.Truncate(24 * time.Hour)
	if !day.Equal(d.day) {
		*d = decreases{day: day, hour: now.Hour(), banked: bankedDecreases}
		return
	}
	d.banked = min(d.banked+now.Hour()-d.hour, bankedDecreases)
	d.hour = now.Hour()
}

// spend uses one decrease, or says that none is left.
func (d *decreases) spend(now time.Time) bool {
	d.roll(now)
	if d.banked == 0 || d.today >= dailyDecreases {
		return false
	}
	d.banked--
	d.today++
	return true
}

// unitsOf is the capacity that touching an item costs: a unit per begun block of so many bytes, at least one.
func unitsOf(bytes, block int) float64 { return max(math.Ceil(float64(bytes)/float64(block)), 1) }

const (
	writeBlock = 1024
	readBlock  = 4096
)
