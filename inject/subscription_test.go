package inject_test

import (
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sns"

	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/sandbox"
)

// Topics tell where they deliver to, and queues whether they are there; nothing is changed.
func TestSubscriptionsAndQueues(t *testing.T) {
	box, err := sandbox.Start(t.Context(), sandbox.Options{Responder: "none", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := box.World()
	c, err := inject.Open(t.Context(), inject.Options{Endpoint: w.AWS, Region: w.Region, AccessKey: w.Keys["firedrill"].ID, Secret: "sandbox", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	const place = ":eu-west-1:111122223333:"
	name := "nobody"
	if _, err := sns.NewFromConfig(c.Config).CreateTopic(t.Context(), &sns.CreateTopicInput{Name: &name}); err != nil {
		t.Fatal(err)
	}
	list, err := c.Subscriptions(t.Context(), "arn:aws:sns"+place+"oncall")
	if err != nil || len(list) != 1 || list[0].Protocol != "http" || !list[0].Confirmed {
		t.Errorf("the on-call's topic: %+v, %v", list, err)
	}
	if list, err := c.Subscriptions(t.Context(), "arn:aws:sns"+place+name); err != nil || len(list) != 0 {
		t.Errorf("nobody's topic: %+v, %v", list, err)
	}
	if list, err := c.Subscriptions(t.Context(), "arn:aws:sns"+place+"none"); err == nil {
		t.Errorf("no topic: %+v", list)
	}
	if err := c.HasQueue(t.Context(), w.Deadman.DLQ); err != nil {
		t.Error(err)
	}
	if err := c.HasQueue(t.Context(), w.Deadman.DLQ+"-2"); !errors.Is(err, inject.ErrGone) {
		t.Errorf("no queue: %v", err)
	}
}
