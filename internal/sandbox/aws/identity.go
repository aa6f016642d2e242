package aws

import (
	"context"
	"strings"
)

// stsService tells callers who they are, and lets them be somebody else for a while.
type stsService struct {
	d        deps
	sessions sessions
}

func newSTS(d deps) *stsService { return &stsService{d: d} }

func (*stsService) id() string  { return "sts" }
func (*stsService) config() any { return nil }

type callerIdentity struct{ Account, Arn, UserId string }

func (s *stsService) operations() map[string]operation {
	return map[string]operation{
		"AssumeRole":                on(false, func(in *assumeInput) string { return in.RoleArn }, s.assume),
		"AssumeRoleWithWebIdentity": on(false, func(in *webIdentityInput) string { return in.RoleArn }, s.assumeByToken),
		"GetCallerIdentity": on(false, nil, func(_ context.Context, c caller, _ *struct{}) (*callerIdentity, error) {
			return &callerIdentity{Account: s.d.account, Arn: c.ARN, UserId: "AIDA" + strings.ToUpper(c.By)}, nil
		}),
	}
}

// lambdaService knows which queues feed functions; the sandbox has no functions to feed.
type lambdaService struct{ d deps }

func newLambda(d deps) *lambdaService { return &lambdaService{d} }

func (*lambdaService) id() string { return "lambda" }

// Mapping is an event source mapping of Lambda, as ListEventSourceMappings tells it.
type Mapping struct {
	UUID                           string
	EventSourceArn                 string
	FunctionArn                    string
	State                          string
	BatchSize                      int
	MaximumBatchingWindowInSeconds int
	FunctionResponseTypes          []string
	LastModified                   float64 `json:",omitempty"` // seconds since 1970
}

func (l *lambdaService) config() any {
	return map[string]any{"EventSourceMappings": sortedBy(l.d.options.Mappings, func(m Mapping) string { return m.EventSourceArn + m.FunctionArn })}
}

type mappingsInput struct {
	EventSourceArn, FunctionName, Marker string
	MaxItems                             int
}

type mappings struct{ EventSourceMappings []Mapping }

func (l *lambdaService) operations() map[string]operation {
	return map[string]operation{
		"ListEventSourceMappings": on(false, func(in *mappingsInput) string { return in.EventSourceArn },
			func(_ context.Context, _ caller, in *mappingsInput) (*mappings, error) {
				out := &mappings{EventSourceMappings: []Mapping{}}
				for _, m := range l.d.options.Mappings {
					if (in.EventSourceArn == "" || in.EventSourceArn == m.EventSourceArn) &&
						(in.FunctionName == "" || strings.Contains(m.FunctionArn+":", ":"+in.FunctionName+":")) {
						out.EventSourceMappings = append(out.EventSourceMappings, m)
					}
				}
				return out, nil
			}),
	}
}
