package aws

import (
	"context"
	"strings"
	"sync"
)

// vault keeps what people have put under a name: Parameter Store and Secrets Manager are one each, as far as reading a
// secret goes.
type vault struct {
	deps
	name string
	mu   sync.Mutex
	held map[string]string
}

func newSSM(d deps) *vault { return &vault{deps: d, name: "ssm", held: map[string]string{}} }
func newSecrets(d deps) *vault {
	return &vault{deps: d, name: "secretsmanager", held: map[string]string{}}
}

func (v *vault) id() string { return v.name }

// config is nil: secrets are nobody's business.
func (*vault) config() any { return nil }

type parameterInput struct {
	Name, Value, Type string
	WithDecryption    bool
	Overwrite         bool
}

type parameter struct {
	Parameter struct{ Name, Value, Type, ARN string }
}

type secretInput struct{ Name, SecretId, SecretString, ClientRequestToken string }

type secret struct{ ARN, Name, SecretString string }

func (v *vault) operations() map[string]operation {
	if v.name == "ssm" {
		named := func(in *parameterInput) string { return in.Name }
		return map[string]operation{"PutParameter": on(true, named, v.putParameter), "GetParameter": on(false, named, v.getParameter)}
	}
	return map[string]operation{
		"CreateSecret":   on(true, func(in *secretInput) string { return in.Name }, v.createSecret),
		"GetSecretValue": on(false, func(in *secretInput) string { return in.SecretId }, v.getSecret),
	}
}

func (v *vault) put(name, value string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.held[name] = value
}

func (v *vault) get(name, code string) (string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	value, ok := v.held[name]
	if !ok {
		return "", &apiError{Code: code, Message: name + " is not there."}
	}
	return value, nil
}

func (v *vault) putParameter(_ context.Context, _ caller, in *parameterInput) (*struct{}, error) {
	v.put(in.Name, in.Value)
	return &struct{}{}, nil
}

func (v *vault) getParameter(_ context.Context, _ caller, in *parameterInput) (*parameter, error) {
	out := &parameter{}
	out.Parameter.Name, out.Parameter.Type = in.Name, "SecureString"
	out.Parameter.ARN = v.arn("ssm", "parameter/"+strings.TrimPrefix(in.Name, "/"))
	var err error
	out.Parameter.Value, err = v.get(in.Name, "ParameterNotFound")
	return out, err
}

func (v *vault) createSecret(_ context.Context, _ caller, in *secretInput) (*secret, error) {
	v.put(in.Name, in.SecretString)
	return &secret{ARN: secretARN(v.deps, in.Name), Name: in.Name}, nil
}

func (v *vault) getSecret(_ context.Context, _ caller, in *secretInput) (*secret, error) {
	name := in.SecretId
	if _, own, ok := strings.Cut(name, ":secret:"); ok {
		name = own[:max(0, len(own)-len("-000000"))]
	}
	value, err := v.get(name, "ResourceNotFoundException")
	return &secret{ARN: secretARN(v.deps, name), Name: name, SecretString: value}, err
}

// secretARN ends in six characters that nobody can guess; the sandbox's are always the same.
func secretARN(d deps, name string) string { return d.arn("secretsmanager", "secret:"+name+"-a1B2c3") }
