package cmd

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/aws/aws-sdk-go-v2/aws/middleware"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
)

// secrets resolves references: secrets never stand in a file of ours.
type secrets struct {
	getenv  func(string) string
	clients *inject.Clients
	plain   bool                    // the sandbox's are not secret
	learn   func(secrets ...string) // told every secret that was read
}

func (s *secrets) resolve(ctx context.Context, ref string) (string, error) {
	scheme, name, _ := strings.Cut(ref, ":")
	var value string
	var err error
	switch scheme {
	case "env":
		value = s.getenv(name)
	case "file":
		var b []byte
		b, err = os.ReadFile(name)
		value = string(b)
	case "ssm":
		value, err = s.parameter(ctx, name)
	case "secretsmanager":
		value, err = s.secret(ctx, name)
	case "plain":
		if s.plain {
			value = name
			break
		}
		fallthrough
	default:
		return "", &hinted{fmt.Errorf("read secret: %q is no reference", scheme), "env:NAME, file:PATH, ssm:NAME or secretsmanager:ID"}
	}
	if err != nil {
		return "", fmt.Errorf("read secret %s: %w", ref, err)
	}
	if value = strings.TrimSpace(value); value == "" {
		return "", &hinted{fmt.Errorf("read secret %s: it is empty", ref), "set it"}
	}
	if scheme != "plain" { // the sandbox's stand in its plans, and whoever recovers reads them there
		s.learn(value)
	}
	return value, nil
}

// webhookSecrets are the values with which PagerDuty signs what it sends to an environment.
func (d *Deps) webhookSecrets(ctx context.Context, env *drills.Environment) (values []string, err error) {
	if len(env.PagerDuty.WebhookSecrets) == 0 {
		return nil, &hinted{fmt.Errorf("serve --webhooks: environment %s has no pagerduty.webhook_secrets", env.Name),
			`pagerduty: {webhook_secrets: ["env:PAGERDUTY_WEBHOOK_SECRET"]}`}
	}
	here := *env
	here.Store.Region = slices.Concat(env.AWS.Regions, []string{""})[0] // where connect reads secrets too
	clients, err := d.tableClients(ctx, &here, "webhooks")
	if err != nil {
		return nil, err
	}
	s := &secrets{getenv: d.Getenv, clients: clients, learn: d.known.learn}
	for _, ref := range env.PagerDuty.WebhookSecrets {
		value, err := s.resolve(ctx, ref)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (s *secrets) parameter(ctx context.Context, name string) (string, error) {
	out, err := ssm.NewFromConfig(s.clients.Config).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil || out.Parameter == nil {
		return "", err
	}
	return aws.ToString(out.Parameter.Value), nil
}

func (s *secrets) secret(ctx context.Context, id string) (string, error) {
	out, err := secretsmanager.NewFromConfig(s.clients.Config).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &id})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.SecretString), nil
}

// awsDate asks STS for the time: the Date header of its answer, in whole seconds.
func awsDate(c *inject.Clients) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		out, err := c.STS.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return time.Time{}, err
		}
		at, ok := middleware.GetServerTime(out.ResultMetadata)
		if !ok {
			return at, fmt.Errorf("read clock of AWS: its answer carries no Date")
		}
		return at, nil
	}
}

func cutEnv(kv string) (name, value string, ok bool) { return strings.Cut(kv, "=") }
