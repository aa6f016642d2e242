package inject

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// callTimeout bounds one attempt of one control-plane call; a Stage or Apply has 10 s in all.
const callTimeout = 5 * time.Second

// Options say which account to speak to, and as whom.
type Options struct {
	Endpoint      string           // of every service; empty is AWS itself. AWS_ENDPOINT_URL* never counts
	Region        string           // one region; the account's targets stand there
	Role          string           // assumed when set, and refreshed before it expires
	Identity      *WebIdentity     // with which Role is assumed; nil: with the usual credentials
	Session       string           // role session name, firedrill-<run>: CloudTrail shows it with every call of ours
	Agent         []Agent          // what the User-Agent of every call tells of us, beside the SDK's own words
	ExpectAccount string           // the twelve digits Identity must answer; empty asks for nothing
	AccessKey     string           // the sandbox's key; when set, neither environment nor profiles are read
	Secret        string           // belongs to AccessKey
	HTTPClient    *http.Client     // nil makes one with a time-out per call
	Now           func() time.Time // the clock of looks and waits; required
	// Learned is told every secret that credentials consist of, whenever they are read; nil where nobody asks.
	Learned func(secrets ...string)
}

// Agent is a word of a User-Agent: firedrill/0.3.0, run/01k….
type Agent struct{ Name, Value string }

// Clients are the services of one account and region. Reads are tried three times; every write is issued once,
// so that "issued" means issued, and the engine alone decides what is tried again.
type Clients struct {
	Config      aws.Config
	DynamoDB    Tables
	AutoScaling Scaling
	SQS         *sqs.Client
	ELB         Balancers
	CloudWatch  Metrics
	STS         Identity
	Scheduler   Scheduling
	// Items is the load's and the probe's own DynamoDB client: it never retries, each answer counts.
	Items Items

	// What is asked of IAM and Lambda, call by call: a field with its client would carry all of it into the program.
	mappings listMappings
	aliases  func(context.Context, *iam.ListAccountAliasesInput, ...func(*iam.Options)) (*iam.ListAccountAliasesOutput, error)
	judge    func(context.Context, *iam.SimulatePrincipalPolicyInput, ...func(*iam.Options)) (*iam.SimulatePrincipalPolicyOutput, error)

	now    func() time.Time
	expect string

	// Of what the credentials consist, for Lifetime.
	base     aws.CredentialsProvider
	profile  config.SharedConfig // the zero value where none was read
	identity *WebIdentity
	learned  func(secrets ...string)
}

// ErrNoCredentials says that there are none at all.
var ErrNoCredentials = errors.New("there are no credentials")

// Open makes the clients; it sends nothing but what reading credentials takes.
func Open(ctx context.Context, o Options) (*Clients, error) {
	if o.Now == nil {
		return nil, errors.New("open aws: no clock")
	}
	if o.Region == "" {
		return nil, errors.New("open aws: no region")
	}
	cfg, err := loadConfig(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open aws: %w", err)
	}
	cfg = tellsOf(renewing(cfg), o.Learned)
	base := cfg.Credentials
	switch {
	case o.Identity != nil && o.Role != "":
		cfg = tellsOf(byToken(cfg, o), o.Learned)
	case o.Role != "":
		cfg = tellsOf(assume(cfg, o.Role, o.Session), o.Learned)
	}
	identities := iam.NewFromConfig(cfg)
	return &Clients{
		Config:      cfg,
		DynamoDB:    tablesOf(cfg),
		AutoScaling: scalingOf(cfg),
		SQS:         sqs.NewFromConfig(cfg),
		ELB:         balancersOf(cfg),
		mappings:    lambda.NewFromConfig(cfg).ListEventSourceMappings,
		CloudWatch:  metricsOf(cfg),
		STS:         identityOf(cfg),
		aliases:     identities.ListAccountAliases,
		judge:       identities.SimulatePrincipalPolicy,
		Scheduler:   schedulingOf(cfg),
		Items:       itemsOf(cfg),
		now:         o.Now,
		expect:      o.ExpectAccount,
		base:        base,
		profile:     profileOf(cfg),
		identity:    o.Identity,
		learned:     o.Learned,
	}, nil
}

// loadConfig reads the environment and profiles for credentials only; endpoints and retries are ours.
func loadConfig(ctx context.Context, o Options) (aws.Config, error) {
	var cfg aws.Config
	if o.AccessKey != "" {
		cfg = aws.Config{Credentials: credentials.NewStaticCredentialsProvider(o.AccessKey, o.Secret, "")}
	} else {
		loaded, err := config.LoadDefaultConfig(ctx, config.WithRegion(o.Region), config.WithLogger(logging.Nop{}))
		if err != nil {
			return cfg, err
		}
		cfg = loaded
	}
	cfg.Region = o.Region
	cfg.BaseEndpoint = nil
	if o.Endpoint != "" {
		cfg.BaseEndpoint = aws.String(o.Endpoint)
	}
	cfg.ConfigSources = append([]any{noStrayEndpoints{}}, cfg.ConfigSources...)
	cfg.AppID = "firedrill"
	for _, a := range o.Agent {
		cfg.APIOptions = append(cfg.APIOptions, middleware.AddUserAgentKeyValue(a.Name, a.Value))
	}
	cfg.Logger = logging.Nop{} // what matters comes back as an error; standard error belongs to the program
	cfg.RetryMaxAttempts, cfg.RetryMode = 0, ""
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts, s.MaxBackoff = 3, time.Second })
	}
	cfg.HTTPClient = o.HTTPClient
	if o.HTTPClient == nil {
		cfg.HTTPClient = awshttp.NewBuildableClient().WithTimeout(callTimeout)
	}
	return cfg, nil
}

// noStrayEndpoints is a configuration source that makes the SDK ignore AWS_ENDPOINT_URL* and profiles' endpoints:
// a drill on staging must not land on an emulator, nor one on an emulator in staging.
type noStrayEndpoints struct{}

// GetIgnoreConfiguredEndpoints answers the SDK's question.
func (noStrayEndpoints) GetIgnoreConfiguredEndpoints(context.Context) (bool, bool, error) {
	return true, true, nil
}

// Caller is who we are, as STS and IAM tell it.
type Caller struct {
	Account string // twelve digits
	ARN     string
	Alias   string // of the account; empty when it has none or when we may not ask
}

// Identity asks who we are. The answer is complete also when the account is not the expected one; then the error
// is a *Refusal. An account alias that may not be read is no error.
// https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html
func (c *Clients) Identity(ctx context.Context) (Caller, error) {
	who, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Caller{}, fmt.Errorf("ask STS who we are: %w", unanswered(err))
	}
	caller := Caller{Account: aws.ToString(who.Account), ARN: aws.ToString(who.Arn)}
	aliases, err := c.aliases(ctx, &iam.ListAccountAliasesInput{})
	switch {
	case err == nil && len(aliases.AccountAliases) > 0:
		caller.Alias = aliases.AccountAliases[0]
	case err != nil && !hasCode(err, "AccessDenied", "AccessDeniedException"):
		return caller, fmt.Errorf("read alias of account %s: %w", caller.Account, err)
	}
	if c.expect != "" && caller.Account != c.expect {
		return caller, Refuse("use credentials of account "+c.expect+", or mend aws.account of the environment",
			"the credentials belong to account %s, not %s", caller.Account, c.expect)
	}
	return caller, nil
}

// hasCode says whether the service answered with one of these error codes.
func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

// judged wraps err as *Definite when the service itself said no: a 4xx answer with an error code. A time-out, a
// broken connection, a 408, a 5xx or a 4xx without a code (a proxy's, which the SDK calls UnknownError) is no answer: the call may still take effect.
func judged(err error) error {
	var api smithy.APIError
	var answer *smithyhttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) || api.ErrorCode() == "" || api.ErrorCode() == "UnknownError" {
		return err
	}
	if status := answer.HTTPStatusCode(); status < 400 || status > 499 || status == http.StatusRequestTimeout {
		return err
	}
	return &Definite{Err: err}
}
