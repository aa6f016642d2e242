package inject

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sqs"
)

// shortPolls counts receives that ask some of a queue's servers only, and may miss what is there.
type shortPolls struct {
	queueAPI
	n int
}

func (s *shortPolls) ReceiveMessage(_ context.Context, in *sqs.ReceiveMessageInput, _ ...func(*sqs.Options)) (*sqs.ReceiveMessageOutput, error) {
	if in.WaitTimeSeconds == 0 {
		s.n++
	}
	return &sqs.ReceiveMessageOutput{}, nil
}

func TestPoisonLooksByLongPolls(t *testing.T) {
	s := &shortPolls{}
	f := &poison{poisoning: &poisoning{queues: s, now: time.Now, timing: SandboxTiming()}}
	u, err := newUndo(KindPoison, Mark{Run: "r", Fault: "f"}, Target{ARN: "q"}, poisonUndo{Count: 1, DLQ: "a:orders-dlq"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.Verify(t.Context(), u)
	if err != nil || r.Felt != No || s.n > 0 {
		t.Errorf("%+v %v, %d short polls", r, err, s.n)
	}
}
