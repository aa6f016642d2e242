package aws

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cloudTrail tells the account's management events from the call log, late, as CloudTrail's event history does. Calls
// that carry data are not in it.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
type cloudTrail struct{ deps }

func newCloudTrail(d deps) *cloudTrail { return &cloudTrail{d} }

func (*cloudTrail) id() string { return "cloudtrail" }

// config is nil: the history is there for everybody, nobody configures it.
func (*cloudTrail) config() any { return nil }

func (t *cloudTrail) operations() map[string]operation {
	return map[string]operation{"LookupEvents": on(false, nil, t.lookup)}
}

type lookupInput struct {
	StartTime, EndTime time.Time
	MaxResults         int
	NextToken          string
	LookupAttributes   []struct{ AttributeKey, AttributeValue string }
}

type lookupOutput struct {
	Events    []trailEvent
	NextToken string `json:"NextToken,omitempty"`
}

type trailEvent struct {
	EventId, EventName, EventSource, ReadOnly, Username string
	EventTime                                           time.Time
	Resources                                           []trailResource
	CloudTrailEvent                                     string
}

type trailResource struct{ ResourceType, ResourceName string }

// trailMost is the longest page.
const trailMost = 50

// lookup answers newest first, as AWS does.
func (t *cloudTrail) lookup(_ context.Context, _ caller, in *lookupInput) (*lookupOutput, error) {
	refuse := func(code, format string, args ...any) error {
		return &apiError{Code: code, Message: fmt.Sprintf(format, args...)}
	}
	size := in.MaxResults
	switch {
	case len(in.LookupAttributes) > 1:
		return nil, refuse("InvalidLookupAttributesException", "there may be one lookup attribute, not %d", len(in.LookupAttributes))
	case size < 0 || size > trailMost:
		return nil, refuse("InvalidMaxResultsException", "MaxResults is from 1 to %d", trailMost)
	case !in.StartTime.IsZero() && !in.EndTime.IsZero() && in.EndTime.Before(in.StartTime):
		return nil, refuse("InvalidTimeRangeException", "the end is before the start")
	case size == 0:
		size = trailMost
	}
	matches := func(trailEvent) bool { return true }
	for _, a := range in.LookupAttributes {
		if matches = attribute(a.AttributeKey, a.AttributeValue); matches == nil {
			return nil, refuse("InvalidLookupAttributesException", "the sandbox looks up no %s", a.AttributeKey)
		}
	}
	skip, err := pageOf(in.NextToken)
	if err != nil {
		return nil, refuse("InvalidNextTokenException", "no token of ours")
	}
	out := &lookupOutput{Events: []trailEvent{}}
	known := t.known()
	for i := len(known) - 1 - skip; i >= 0; i-- {
		e := t.event(known[i])
		if e.EventTime.Before(in.StartTime) || !in.EndTime.IsZero() && e.EventTime.After(in.EndTime) || !matches(e) {
			continue
		}
		if len(out.Events) == size {
			out.NextToken = base64.StdEncoding.EncodeToString([]byte(strconv.Itoa(len(known) - 1 - i)))
			break
		}
		t.record(&e, known[i])
		out.Events = append(out.Events, e)
	}
	return out, nil
}

func pageOf(token string) (int, error) {
	if token == "" {
		return 0, nil
	}
	b, err := base64.StdEncoding.DecodeString(token)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(string(b))
}

// attribute says which events an attribute means; nil: the sandbox does not know it.
func attribute(key, value string) func(trailEvent) bool {
	switch key {
	case "ResourceName":
		return func(e trailEvent) bool {
			return slices.ContainsFunc(e.Resources, func(r trailResource) bool { return r.ResourceName == value })
		}
	case "EventName":
		return func(e trailEvent) bool { return e.EventName == value }
	case "EventSource":
		return func(e trailEvent) bool { return e.EventSource == value }
	case "ReadOnly":
		return func(e trailEvent) bool { return e.ReadOnly == value }
	case "Username":
		return func(e trailEvent) bool { return e.Username == value }
	}
	return nil
}

// known are the calls that CloudTrail tells of by now, oldest first.
func (t *cloudTrail) known() (calls []Call) {
	late := t.now().Add(-t.options.TrailDelay)
	for _, c := range t.log() {
		if !c.At.After(late) && c.Status != 0 && !carriesData(c) {
			calls = append(calls, c)
		}
	}
	return calls
}

// carriesData: data events are in a trail that asks for them, and never in the history.
func carriesData(c Call) bool {
	switch strings.TrimSuffix(c.Operation, "Batch") {
	case "GetItem", "PutItem", "UpdateItem", "DeleteItem", "BatchGetItem", "BatchWriteItem", "TransactWriteItems", "TransactGetItems", "Query", "Scan",
		"SendMessage", "ReceiveMessage", "DeleteMessage", "ChangeMessageVisibility", "PutMetricData", "GetMetricData", "GetMetricStatistics", "Publish":
		return true
	}
	return false
}

// event is a call as CloudTrail tells it: in whole seconds.
func (t *cloudTrail) event(c Call) trailEvent {
	source := c.Service
	if source == "cloudwatch" {
		source = "monitoring"
	}
	e := trailEvent{EventId: fmt.Sprintf("00000000-0000-4000-8000-%012d", c.N), EventName: c.Operation, EventSource: source + ".amazonaws.com",
		ReadOnly: strconv.FormatBool(!c.Writes), EventTime: c.At.Truncate(time.Second), Resources: t.resources(c)}
	e.Username, _ = t.identity(c)["userName"].(string)
	return e
}

// record adds what the trail itself would hold.
func (t *cloudTrail) record(e *trailEvent, c Call) {
	who := t.identity(c)
	record := map[string]any{"eventVersion": "1.11", "eventID": e.EventId, "userIdentity": who, "eventTime": e.EventTime.Format(time.RFC3339),
		"eventSource": e.EventSource, "eventName": c.Operation, "awsRegion": t.region, "sourceIPAddress": "127.0.0.1", "userAgent": c.Agent,
		"readOnly": !c.Writes, "eventType": "AwsApiCall", "managementEvent": true, "recipientAccountId": t.account}
	if by, ok := who["invokedBy"].(string); ok {
		record["sourceIPAddress"], record["userAgent"] = by, by
	}
	if c.Code != "" {
		record["errorCode"] = c.Code
	}
	b, _ := json.Marshal(record) // texts and truths always can
	e.CloudTrailEvent = string(b)
}

// resources are what an event can be found by: what the request named, and its ARN where the service tells it.
func (t *cloudTrail) resources(c Call) (list []trailResource) {
	if c.Resource == "" {
		return []trailResource{}
	}
	kind := map[string]string{"dynamodb": "AWS::DynamoDB::Table", "sqs": "AWS::SQS::Queue", "elasticloadbalancing": "AWS::ElasticLoadBalancingV2::Listener"}[c.Service]
	list = append(list, trailResource{kind, c.Resource})
	if c.Service == "dynamodb" && !strings.HasPrefix(c.Resource, "arn:") {
		list = append(list, trailResource{kind, t.arn("dynamodb", "table/"+c.Resource)})
	}
	if c.Service == "sqs" && strings.Contains(c.Resource, "/") {
		list = append(list, trailResource{kind, t.arn("sqs", lastSegment(c.Resource))})
	}
	return list
}

// identity is who called: a user, a role's session, a service under a role that it was given, or one that acts by itself.
func (t *cloudTrail) identity(c Call) map[string]any {
	if c.Principal == "" { // only auto scaling acts without anybody
		return map[string]any{"type": "AssumedRole", "invokedBy": "dynamodb.application-autoscaling.amazonaws.com", "accountId": t.account,
			"arn": "arn:aws:sts::" + t.account + ":assumed-role/AWSServiceRoleForApplicationAutoScaling_DynamoDBTable/AutoScaling-UpdateTable"}
	}
	issuer := func(role string) map[string]any {
		return map[string]any{"sessionIssuer": map[string]any{"type": "Role", "arn": "arn:aws:iam::" + t.account + ":role/" + role, "userName": role}}
	}
	if _, rest, ok := strings.Cut(c.Principal, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(rest, "/")
		return map[string]any{"type": "AssumedRole", "arn": c.Principal, "accountId": t.account, "sessionContext": issuer(role)}
	}
	if _, role, ok := strings.Cut(c.Principal, ":role/"); ok {
		return map[string]any{"type": "AssumedRole", "arn": "arn:aws:sts::" + t.account + ":assumed-role/" + role + "/" + c.By, "accountId": t.account,
			"sessionContext": issuer(role), "invokedBy": c.By + ".amazonaws.com"}
	}
	_, name, _ := strings.Cut(c.Principal, ":user/")
	return map[string]any{"type": "IAMUser", "arn": c.Principal, "accountId": t.account, "userName": name}
}
