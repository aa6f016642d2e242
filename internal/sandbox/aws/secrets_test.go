package aws

import (
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
)

func TestSecretsAreReadByNameAndByARN(t *testing.T) {
	_, url := testCloud(t, Options{})
	theirs, ours := testConfig(url, "other"), testConfig(url, "firedrill")
	if _, err := ssm.NewFromConfig(theirs).PutParameter(t.Context(), &ssm.PutParameterInput{Name: awssdk.String("/a/b"), Value: awssdk.String("one")}); err != nil {
		t.Fatal(err)
	}
	made, err := secretsmanager.NewFromConfig(theirs).CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{Name: awssdk.String("a/b"), SecretString: awssdk.String("two")})
	if err != nil {
		t.Fatal(err)
	}
	if out, err := ssm.NewFromConfig(ours).GetParameter(t.Context(), &ssm.GetParameterInput{Name: awssdk.String("/a/b"), WithDecryption: awssdk.Bool(true)}); err != nil || *out.Parameter.Value != "one" {
		t.Errorf("%+v %v", out, err)
	}
	for _, id := range []string{"a/b", *made.ARN} {
		if out, err := secretsmanager.NewFromConfig(ours).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: &id}); err != nil || *out.SecretString != "two" {
			t.Errorf("%s: %+v %v", id, out, err)
		}
	}
	if _, err := ssm.NewFromConfig(ours).GetParameter(t.Context(), &ssm.GetParameterInput{Name: awssdk.String("/c")}); err == nil {
		t.Error("a parameter that is not there is read")
	}
	if _, err := secretsmanager.NewFromConfig(ours).GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: awssdk.String("c")}); err == nil {
		t.Error("a secret that is not there is read")
	}
}
