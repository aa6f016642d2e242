package aws

import (
	"math"
	"strings"
	"time"
)

// observe notes how much capacity of a scalable target was consumed.
func (s *autoscalingService) observe(m sample) {
	if m.Namespace != "AWS/DynamoDB" || !strings.HasPrefix(m.Metric, "Consumed") {
		return
	}
	k := scalableID{"dynamodb", "table/" + m.Dimensions["TableName"], "dynamodb:table:" + strings.TrimPrefix(m.Metric, "Consumed")}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.targets[k]; t != nil {
		t.used = append(t.used, usage{m.At, m.Value})
	}
}

// tick scales out what has been over its target for the whole window, and retries what could not be pulled back
// because the table was busy. Scaling in takes AWS a quarter of an hour; the sandbox leaves it out.
func (s *autoscalingService) tick(now time.Time) {
	s.mu.Lock()
	var keys []scalableID
	for k := range s.targets {
		keys = append(keys, k)
	}
	s.mu.Unlock()
	for _, k := range keys {
		s.act(k, now)
	}
}

// act brings one target to where it should be, with a table update of its own, and is done with it unless the
// table was busy.
func (s *autoscalingService) act(k scalableID, now time.Time) {
	rate := s.rate(k, now)
	pull, limits, goal := s.duty(k)
	if !pull && (rate == 0 || goal == 0) {
		return
	}
	t, err := s.tables.describe(strings.TrimPrefix(k.ResourceId, "table/"))
	if err != nil || t.TableStatus != "ACTIVE" {
		return
	}
	if t.BillingModeSummary != nil && t.BillingModeSummary.BillingMode == onDemandMode {
		s.settled(k)
		return
	}
	c := capacity{t.ProvisionedThroughput.ReadCapacityUnits, t.ProvisionedThroughput.WriteCapacityUnits}
	at := &c.WriteCapacityUnits
	if strings.HasSuffix(k.ScalableDimension, "ReadCapacityUnits") {
		at = &c.ReadCapacityUnits
	}
	was := *at
	if goal > 0 && rate > goal*float64(was) {
		*at = max(was, min(int64(math.Ceil(rate/goal)), limits[1]))
		*at = max(*at, limits[0])
	}
	if pull {
		*at = min(max(*at, limits[0]), limits[1])
	}
	if *at == was {
		s.settled(k)
		return
	}
	call := Call{By: "other", Service: "dynamodb", Operation: "UpdateTable", Writes: true, Resource: t.TableName}
	err = s.d.acted(call, func() error {
		_, err := s.tables.update(&updateTableInput{TableName: t.TableName, ProvisionedThroughput: &c})
		return err
	})
	if err == nil {
		s.settled(k)
	}
}

// duty is what is to be done about a target: pull it into bounds, and track a goal (a share of capacity; 0 is none).
func (s *autoscalingService) duty(k scalableID) (pull bool, limits [2]int64, goal float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.targets[k]
	if t == nil {
		return false, limits, 0
	}
	if t.policy != nil && !deref(t.SuspendedState.DynamicScalingOutSuspended) {
		goal = t.policy.TargetTrackingScalingPolicyConfiguration.TargetValue / 100
	}
	return t.pull, [2]int64{t.MinCapacity, t.MaxCapacity}, goal
}

func (s *autoscalingService) settled(k scalableID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.targets[k]; t != nil {
		t.pull = false
	}
}

// rate is what was consumed a second, all through the window: the lesser of its two halves. It forgets older use.
func (s *autoscalingService) rate(k scalableID, now time.Time) float64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, w := s.targets[k], s.d.options.ScalingWindow
	if t == nil || w <= 0 {
		return 0
	}
	var half [2]float64
	kept := t.used[:0]
	for _, u := range t.used {
		age := now.Sub(u.at)
		if age > w {
			continue
		}
		kept = append(kept, u)
		if age >= w/2 {
			half[0] += u.units
		} else {
			half[1] += u.units
		}
	}
	t.used = kept
	return min(half[0], half[1]) / (w / 2).Seconds()
}
