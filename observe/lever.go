package observe

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/fis"
	"github.com/aws/aws-sdk-go-v2/service/fis/types"
	"github.com/aws/smithy-go"
)

// ErrLeverUnread says that the safety lever of AWS FIS may not be read with these credentials, or that there is none.
var ErrLeverUnread = errors.New("the safety lever of AWS FIS may not be read")

// FISLever returns a look at the safety lever of AWS Fault Injection Service: one for an account and region, which
// stops every experiment. Who pulls it means every fault, ours too.
// https://docs.aws.amazon.com/fis/latest/userguide/safety-lever.html
func FISLever(cfg aws.Config) func(ctx context.Context) (engaged bool, reason string, err error) {
	client := fis.NewFromConfig(cfg)
	return func(ctx context.Context) (bool, string, error) {
		out, err := client.GetSafetyLever(ctx, &fis.GetSafetyLeverInput{Id: aws.String("default")})
		var api smithy.APIError
		switch {
		case err != nil && ctx.Err() == nil && !errors.As(err, &api), errors.As(err, &api) && answerless(api.ErrorCode()):
			return false, "", fmt.Errorf("%w: %w", ErrLeverUnread, err)
		case err != nil:
			return false, "", fmt.Errorf("read the safety lever of AWS FIS: %w", err)
		case out.SafetyLever == nil || out.SafetyLever.State == nil:
			return false, "", nil
		}
		s := out.SafetyLever.State
		return s.Status == types.SafetyLeverStatusEngaged || s.Status == types.SafetyLeverStatusEngaging, aws.ToString(s.Reason), nil
	}
}

// answerless says that an error code is no answer to the question: it may not be asked, or nobody there knows it.
func answerless(code string) bool {
	switch code {
	case "AccessDeniedException", "AccessDenied", "ResourceNotFoundException", "UnknownOperationException", "UnknownError", "NotFound", "NotImplemented":
		return true
	}
	return false
}
