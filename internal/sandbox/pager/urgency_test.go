package pager

import (
	"testing"
	"time"
)

func TestSupportHours(t *testing.T) {
	h := &Hours{Zone: "Europe/Berlin", From: "09:00:00", To: "17:00:00", Days: []int{1, 2, 3, 4, 5}}
	berlin, err := time.LoadLocation(h.Zone)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		now  time.Time
		on   bool
		next time.Time
	}{
		"within":                    {time.Date(2026, 11, 23, 10, 0, 0, 0, berlin), true, time.Date(2026, 11, 24, 9, 0, 0, 0, berlin)},
		"before":                    {time.Date(2026, 11, 23, 8, 59, 59, 0, berlin), false, time.Date(2026, 11, 23, 9, 0, 0, 0, berlin)},
		"at their end":              {time.Date(2026, 11, 23, 17, 0, 0, 0, berlin), false, time.Date(2026, 11, 24, 9, 0, 0, 0, berlin)},
		"Friday evening":            {time.Date(2026, 11, 27, 18, 0, 0, 0, berlin), false, time.Date(2026, 11, 30, 9, 0, 0, 0, berlin)},
		"Saturday":                  {time.Date(2026, 11, 28, 10, 0, 0, 0, berlin), false, time.Date(2026, 11, 30, 9, 0, 0, 0, berlin)},
		"before the clock goes on":  {time.Date(2027, 3, 26, 18, 0, 0, 0, berlin), false, time.Date(2027, 3, 29, 9, 0, 0, 0, berlin)},
		"told in another time zone": {time.Date(2026, 11, 23, 8, 30, 0, 0, time.UTC), true, time.Date(2026, 11, 24, 9, 0, 0, 0, berlin)},
	} {
		if got := h.on(tt.now); got != tt.on {
			t.Errorf("%s: on is %v", name, got)
		}
		if got := h.begin(tt.now); !got.Equal(tt.next) {
			t.Errorf("%s: begin at %v, want %v", name, got, tt.next)
		}
	}
	never := &Hours{Zone: "UTC", From: "09:00:00", To: "17:00:00"}
	if got := never.begin(time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)); !got.IsZero() {
		t.Errorf("hours of no day begin at %v", got)
	}
}
