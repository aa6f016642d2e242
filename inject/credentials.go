package inject

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// telling are credentials that tell what is secret of them as they are read: whoever prints must know it by its value.
type telling struct {
	aws.CredentialsProvider
	learned func(secrets ...string)
}

// Retrieve is the provider's.
func (t telling) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := t.CredentialsProvider.Retrieve(ctx)
	if err == nil {
		t.learned(c.SecretAccessKey, c.SessionToken)
	}
	return c, err
}

// tellsOf makes the credentials of cfg tell.
func tellsOf(cfg aws.Config, learned func(secrets ...string)) aws.Config {
	if learned != nil && cfg.Credentials != nil {
		cfg.Credentials = telling{cfg.Credentials, learned}
	}
	return cfg
}
