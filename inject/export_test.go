package inject

import (
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// RefuseTable lets tests ask about tables the sandbox cannot have.
func RefuseTable(t types.TableDescription) error { return refuseTable(table{t}) }

// OnceDynamoDB makes a call one attempt.
func OnceDynamoDB(o *dynamodb.Options) { onceDynamoDB(o) }

// Judged tells definite answers from others.
func Judged(err error) error { return judged(err) }

// LifetimeOf judges a session that a provider of this name has made of the profile.
func LifetimeOf(c *Clients, source string) Lifetime {
	return judgeLifetime(aws.Credentials{Source: source, SessionToken: "t", CanExpire: true}, c.profile, os.Getenv)
}
