package responder

import (
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
)

// quiet says that no alarm rings which would page anybody.
func (r *Responder) quiet(ctx context.Context) (bool, error) {
	out, err := r.cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{StateValue: types.StateValueAlarm})
	if err != nil {
		return false, fmt.Errorf("describe alarms: %w", err)
	}
	for _, a := range out.MetricAlarms {
		if a.ActionsEnabled != nil && *a.ActionsEnabled && len(a.AlarmActions) > 0 {
			return false, nil
		}
	}
	return true, nil
}

// well says that every page answers.
func (r *Responder) well(ctx context.Context) bool {
	for _, u := range r.o.Checks {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
		if err != nil {
			return false
		}
		res, err := r.web.Do(req)
		if err != nil {
			return false
		}
		_, _ = io.Copy(io.Discard, res.Body)
		_ = res.Body.Close()
		if res.StatusCode >= 400 {
			return false
		}
	}
	return true
}
