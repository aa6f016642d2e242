package aws

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestUnlimitedBucket(t *testing.T) {
	var b bucket
	if !b.take(1e9, time.Time{}) {
		t.Error("the zero bucket has a limit")
	}
}

func TestBankSurvivesADecrease(t *testing.T) {
	at := newTestClock().now()
	var b bucket
	b.limit(100, 3*time.Second, at)
	b.limit(1, 3*time.Second, at)
	if !b.take(300, at) || b.take(1, at) {
		t.Errorf("%g left of the old bank of 300", b.tokens)
	}
	if !b.take(1, at.Add(time.Second)) || b.take(1, at.Add(time.Second)) {
		t.Error("the new rate is one a second")
	}
}

func TestLargeRequestsPassWhenTheBankIsFull(t *testing.T) {
	at := newTestClock().now()
	var b bucket
	b.limit(1, time.Second, at)
	if !b.take(5, at) {
		t.Error("five units do not pass a full bank of one")
	}
	if b.take(1, at.Add(4*time.Second)) || !b.take(1, at.Add(5*time.Second)) {
		t.Error("what was overdrawn is not paid back first")
	}
}

// Whatever comes when, a bucket never lets through more than its bank and its rate.
func TestBucketNeverGivesMoreThanItHas(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		start := newTestClock().now()
		rate := float64(rapid.IntRange(1, 50).Draw(r, "rate"))
		bank := time.Duration(rapid.IntRange(1, 5).Draw(r, "bank")) * time.Second
		var b bucket
		b.limit(rate, bank, start)
		at, given := start, 0.0
		for range rapid.IntRange(1, 200).Draw(r, "requests") {
			at = at.Add(time.Duration(rapid.IntRange(0, 300).Draw(r, "gap_ms")) * time.Millisecond)
			if b.take(1, at) {
				given++
			}
		}
		if most := full(rate, bank) + rate*at.Sub(start).Seconds(); given > most+1e-6 {
			r.Fatalf("gave %g of %g", given, most)
		}
	})
}

func TestDecreasesOfADay(t *testing.T) {
	at := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	var d decreases
	total := 0
	for hour := range 24 {
		for d.spend(at.Add(time.Duration(hour) * time.Hour)) {
			total++
		}
	}
	if total != dailyDecreases {
		t.Errorf("%d decreases in a day of taking all there are, want 27", total)
	}
	if !d.spend(at.Add(24 * time.Hour)) {
		t.Error("none on the next day")
	}
	if !new(decreases).spend(at.Add(23 * time.Hour)) {
		t.Error("a new table has none in the evening")
	}
}

func TestUnits(t *testing.T) {
	for _, c := range []struct {
		bytes, block int
		want         float64
	}{{0, writeBlock, 1}, {1, writeBlock, 1}, {1024, writeBlock, 1}, {1025, writeBlock, 2}, {4096, readBlock, 1}, {4097, readBlock, 2}} {
		if got := unitsOf(c.bytes, c.block); got != c.want {
			t.Errorf("unitsOf(%d, %d) = %g, want %g", c.bytes, c.block, got, c.want)
		}
	}
}

func FuzzExpressions(f *testing.F) {
	for _, s := range []string{"attribute_exists(id) AND NOT (a = :x OR #b <> :x)", "n BETWEEN :x AND :x", "SET a = if_not_exists(b, :x) + :x REMOVE c ADD d :x", "((((", "NOT NOT", ":x", "a.b.#b"} {
		f.Add(s)
	}
	x := "1"
	f.Fuzz(func(t *testing.T, s string) {
		for _, it := range []item{nil, {"id": attr{S: &x}, "a": attr{N: &x}}} {
			p := newPlaceholders(map[string]string{"#b": "b"}, map[string]attr{":x": {N: &x}})
			if c, err := parseCondition(s, p); err == nil {
				c(it)
			}
			if edits, err := parseUpdate(s, p); err == nil {
				apply(edits, it, item{"id": attr{S: &x}})
			}
		}
	})
}
