package inject

import "time"

// The kinds of faults.
const (
	KindThrottle = "dynamodb.throttle"
	KindError    = "http.error"
	KindPoison   = "sqs.poison"
	KindDeny     = "dynamodb.deny"
	KindStall    = "sqs.stall"
)

// Timing is how fast the account reacts: AWS's own pace, or the sandbox's.
type Timing struct {
	MetricDelay time.Duration // from an effect to its datapoint in CloudWatch
	UndoTime    time.Duration // the longest a capacity update should take
	Burst       time.Duration // how much unused provisioned capacity a table may have banked
	Poll        time.Duration // between looks while waiting for a service
	Patience    time.Duration // the longest wait inside one Revert for a table to be ACTIVE
	Again       time.Duration // after which a read that found nothing of ours is made once more: reads may be behind
	Window      time.Duration // how far back a queue's consumer is looked for in CloudWatch
	Period      time.Duration // of the datapoints in that window
	Drain       time.Duration // the longest a poison message may need to dead-letter
	Apart       time.Duration // the least time between two looks at a queue: its counts are only eventually right
	Hold        time.Duration // how long a look at a queue may hide its messages from others
	Lock        time.Duration // how long a table's policy cannot be changed again after a change
	Spread      time.Duration // how long a queue's changed policy may take to be seen and enforced everywhere
}

// AWSTiming is the pace of AWS, budgeted generously: capacity updates and metrics take minutes.
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/burst-adaptive-capacity.html
func AWSTiming() Timing {
	return Timing{
		MetricDelay: time.Minute, UndoTime: 5 * time.Minute, Burst: 300 * time.Second,
		Poll: time.Second, Patience: time.Minute, Again: 5 * time.Second,
		Window: 15 * time.Minute, Period: time.Minute, Drain: 15 * time.Minute, Apart: time.Minute, Hold: 20 * time.Second,
		Lock: 15 * time.Second, Spread: time.Minute,
	}
}

// SandboxTiming is the pace of the sandbox, where minutes are seconds.
func SandboxTiming() Timing {
	return Timing{
		MetricDelay: 0, UndoTime: 5 * time.Second, Burst: 3 * time.Second,
		Poll: 50 * time.Millisecond, Patience: 10 * time.Second, Again: 300 * time.Millisecond,
		Window: 20 * time.Second, Period: 2 * time.Second, Drain: time.Minute, Apart: time.Second, Hold: 3 * time.Second,
		Lock: time.Second, Spread: 500 * time.Millisecond,
	}
}

// CatalogOptions set a catalog's pace; the zero value is AWS's.
type CatalogOptions struct {
	Timing Timing
	Roles  []string // ARNs of further roles of ours: a policy that denies something to everybody exempts them
}

// NewCatalog returns every kind of fault there is, on these clients. c may be nil for who only describes undos
// or checks a drill file: then nothing that reads or writes the account may be called.
func NewCatalog(c *Clients, o CatalogOptions) Catalog {
	if o.Timing == (Timing{}) {
		o.Timing = AWSTiming()
	}
	if c == nil {
		c = &Clients{}
	}
	return Catalog{
		KindThrottle: newThrottling(c, o.Timing).kind(),
		KindError:    newReplying(c, o.Timing).kind(),
		KindPoison:   newPoisoning(c, o.Timing).kind(),
		KindDeny:     newDenying(c, o).kind(),
		KindStall:    newStalling(c, o).kind(),
	}
}

// ParamsOf returns a pointer to the zero parameters of a kind, for schemas; nil when there is no such kind.
func ParamsOf(kind string) any {
	switch kind {
	case KindThrottle:
		return &ThrottleParams{}
	case KindError:
		return &ErrorParams{}
	case KindPoison:
		return &PoisonParams{}
	case KindDeny:
		return &DenyParams{}
	case KindStall:
		return &StallParams{}
	default:
		return nil
	}
}
