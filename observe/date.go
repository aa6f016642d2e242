package observe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
)

// errNoDate is an answer without a Date header.
var errNoDate = errors.New("the answer has no Date header")

// dateTimeout is how long one look at a clock may take: a slower one tells too little.
const dateTimeout = 3 * time.Second

// DateOf reads the Date header of an answer: whole seconds, cut off (RFC 9110, section 6.6.1).
func DateOf(h http.Header) (time.Time, error) {
	value := h.Get("Date")
	if value == "" {
		return time.Time{}, errNoDate
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return time.Time{}, fmt.Errorf("read Date header: %w", err)
	}
	return at.UTC(), nil
}

// CloudWatchDate looks at the clock of CloudWatch, which stamps alarms, by asking for one alarm.
func CloudWatchDate(cw CloudWatchAPI) func(context.Context) (time.Time, error) {
	return func(ctx context.Context) (time.Time, error) {
		ctx, cancel := context.WithTimeout(ctx, dateTimeout)
		defer cancel()
		out, err := cw.DescribeAlarms(ctx, &cloudwatch.DescribeAlarmsInput{MaxRecords: aws.Int32(1)})
		if err != nil {
			return time.Time{}, fmt.Errorf("describe one alarm: %w", err)
		}
		at, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
		if !ok || at.IsZero() {
			return time.Time{}, errNoDate
		}
		return at.UTC(), nil
	}
}

// DateLooker looks at the clock of whoever answers at URL. Any answer will do, a refusal too: it has a date all the
// same. Nothing is signed and nothing is sent.
type DateLooker struct {
	URL  string
	HTTP *http.Client // nil is a plain client of our own
}

// Look makes one HEAD request.
func (d DateLooker) Look(ctx context.Context) (time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, dateTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, d.URL, nil)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at the clock of %s: %w", d.URL, err)
	}
	req.Header.Set("User-Agent", "firedrill")
	client := http.Client{}
	if d.HTTP != nil {
		client = *d.HTTP
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return time.Time{}, fmt.Errorf("look at the clock of %s: %w", d.URL, err)
	}
	_ = resp.Body.Close()
	return DateOf(resp.Header)
}
