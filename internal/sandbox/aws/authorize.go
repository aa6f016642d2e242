package aws

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
)

// authorize asks the caller's own policies about a call, and tells what it asked for. Whoever has none attached may do
// everything: the sandbox's people are administrators until somebody says otherwise.
func (c *Cloud) authorize(ctx context.Context, q *request) (asked []string, err error) {
	demands := c.demands(q)
	for _, d := range demands {
		asked = append(asked, d.action+" on "+d.resource)
	}
	policies := c.iam().attached(q.who.ARN)
	if len(policies) == 0 {
		return asked, nil
	}
	for _, d := range demands {
		c.describe(ctx, q, &d)
		if v, sid := judged(policies, d); v != allowed {
			return asked, notAuthorized(q, d, sid)
		}
	}
	return asked, nil
}

// notAuthorized is the refusal in the words of the caller's protocol.
func notAuthorized(q *request, d demand, sid string) *apiError {
	why := "because no identity-based policy allows the " + d.action + " action"
	if sid != "" {
		why = "with an explicit deny in an identity-based policy: " + sid
	}
	e := &apiError{Code: "AccessDeniedException", Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s %s", q.who.ARN, d.action, d.resource, why)}
	switch q.wire.(type) {
	case queryWire:
		e.Code, e.Status = "AccessDenied", http.StatusForbidden
	case restWire:
		e.Status = http.StatusForbidden
	}
	return e
}

// demands are what a call needs, as the service authorization reference has it: most need the action of their own name.
// https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html
func (c *Cloud) demands(q *request) []demand {
	if q.service == "sts" && q.operation == "GetCallerIdentity" {
		return []demand{{action: "sts:GetCallerIdentity", resource: "*"}}
	}
	action := actionPrefix(q.service) + ":" + strings.TrimSuffix(q.operation, "Batch")
	if q.service == "dynamodb" {
		action = "dynamodb:" + q.operation
	}
	first := demand{action: action, resource: c.resourceOf(q)}
	switch {
	case q.service == "elasticloadbalancing" && q.operation == "CreateRule" && q.input["Tags"] != nil:
		return []demand{first, {action: "elasticloadbalancing:AddTags", context: map[string][]string{"elasticloadbalancing:createaction": {"CreateRule"}},
			resource: strings.Replace(first.resource, ":listener/", ":listener-rule/", 1) + "/*"}}
	case q.service == "scheduler" && (q.operation == "CreateSchedule" || q.operation == "UpdateSchedule"):
		target, _ := q.input["Target"].(object)
		return []demand{first, {action: "iam:PassRole", resource: said(target["RoleArn"]), context: map[string][]string{"iam:passedtoservice": {"scheduler.amazonaws.com"}}}}
	}
	return []demand{first}
}

// actionPrefix is what IAM calls a service.
func actionPrefix(service string) string {
	if service == "monitoring" {
		return "cloudwatch"
	}
	return service
}

// resourceOf is the ARN of what a call is about; * where AWS knows none, or where the call looks at many.
func (c *Cloud) resourceOf(q *request) string {
	arn := func(service, resource string) string {
		return "arn:aws:" + service + ":" + c.options.Region + ":" + c.options.Account + ":" + resource
	}
	in := func(names ...string) string {
		for _, n := range names {
			if s := said(q.input[n]); s != "" {
				return s
			}
		}
		return ""
	}
	name := in("TableName", "ResourceArn", "QueueUrl", "QueueName", "SourceArn", "RuleArn", "ListenerArn", "SecretId", "Name", "ResourceId", "PolicySourceArn", "RoleArn", "TopicArn")
	switch {
	case name == "" || q.service == "elasticloadbalancing" && strings.HasPrefix(q.operation, "Describe"):
		if q.service == "fis" {
			return "arn:aws:fis:" + c.options.Region + ":" + c.options.Account + ":safety-lever/" + in("id")
		}
		return "*"
	case strings.HasPrefix(name, "arn:"):
		return name
	}
	switch q.service {
	case "dynamodb":
		return arn("dynamodb", "table/"+name)
	case "sqs":
		return arn("sqs", lastSegment(name))
	case "ssm":
		return arn("ssm", "parameter/"+strings.TrimPrefix(name, "/"))
	case "secretsmanager":
		return arn("secretsmanager", "secret:"+name+"-a1B2c3")
	case "scheduler":
		return arn("scheduler", "schedule/default/"+name)
	case "application-autoscaling":
		return arn("application-autoscaling", "scalable-target/"+base64.RawURLEncoding.EncodeToString([]byte(name+said(q.input["ScalableDimension"]))))
	}
	return "*"
}

// describe adds what policies may ask of a request and of the resource it is about.
func (c *Cloud) describe(ctx context.Context, q *request, d *demand) {
	more := map[string][]string{"aws:requestedregion": {c.options.Region}, "aws:principalarn": {q.who.ARN}, "aws:useragent": {q.who.Agent}}
	for k, v := range c.tags(ctx, d) {
		more["aws:resourcetag/"+strings.ToLower(k)] = []string{v}
	}
	if keys := tagKeys(q.input); len(keys) > 0 {
		more["aws:tagkeys"] = keys
	}
	if key, ok := q.input["Key"].(object); ok && q.service == "dynamodb" {
		more["dynamodb:leadingkeys"] = c.leadingKeys(ctx, q, key)
	}
	if q.service == "application-autoscaling" {
		more["application-autoscaling:service-namespace"] = []string{said(q.input["ServiceNamespace"])}
		more["application-autoscaling:scalable-dimension"] = []string{said(q.input["ScalableDimension"])}
	}
	for k, v := range d.context {
		more[k] = v
	}
	d.context = more
}

// tags are the resource's own, now.
func (c *Cloud) tags(ctx context.Context, d *demand) map[string]string {
	found := map[string]string{}
	list := func(answer any, path ...string) {
		for _, p := range path {
			o, _ := answer.(object)
			answer = o[p]
		}
		for _, t := range asList(answer) {
			if o, ok := t.(object); ok {
				found[said(o["Key"])] = said(o["Value"])
			}
		}
	}
	switch {
	case strings.HasPrefix(d.action, "dynamodb:") && strings.Contains(d.resource, ":table/"):
		list(c.look(ctx, "dynamodb", "ListTagsOfResource", object{"ResourceArn": d.resource}), "Tags")
	case strings.HasPrefix(d.action, "sqs:") && d.resource != "*":
		at := fmt.Sprintf("%s/%s/%s", *c.base.Load(), c.options.Account, lastSegment(d.resource))
		answer := c.look(ctx, "sqs", "ListQueueTags", object{"QueueUrl": at})
		tags, _ := answer["Tags"].(dict)
		for k, v := range tags {
			found[k] = said(v)
		}
	case strings.HasPrefix(d.action, "elasticloadbalancing:") && d.resource != "*":
		answer := c.look(ctx, "elasticloadbalancing", "DescribeTags", object{"ResourceArns": object{"member": object{"1": d.resource}}})
		if all := asList(answer["TagDescriptions"]); len(all) == 1 {
			list(all[0], "Tags")
		}
	}
	return found
}

// look asks a service of the account itself: no log, no knob.
func (c *Cloud) look(ctx context.Context, service, name string, input object) object {
	op := c.ops[service][name]
	in := op.newInput()
	if fill(reflect.ValueOf(in).Elem(), input, 0) != nil {
		return nil
	}
	out, err := op.do(ctx, caller{By: "aws"}, in)
	if err != nil {
		return nil
	}
	answer, _ := render(reflect.ValueOf(out)).(object)
	return answer
}

// leadingKeys is the partition key of an item that a call names: bytes as they come, in base 64.
func (c *Cloud) leadingKeys(ctx context.Context, q *request, key object) (keys []string) {
	answer := c.look(ctx, "dynamodb", "DescribeTable", object{"TableName": said(q.input["TableName"])})
	table, _ := answer["Table"].(object)
	for _, k := range asList(table["KeySchema"]) {
		if o, _ := k.(object); said(o["KeyType"]) == "HASH" {
			value, _ := key[said(o["AttributeName"])].(object)
			for _, v := range value {
				keys = append(keys, said(v))
			}
		}
	}
	return keys
}

// tagKeys are the names of the tags that a call puts or takes, however its service spells them.
func tagKeys(in object) (keys []string) {
	for _, t := range asList(in["Tags"]) {
		if o, ok := t.(object); ok {
			keys = append(keys, said(o["Key"]))
		}
	}
	for _, member := range []string{"Tags", "tags"} {
		switch tags := in[member].(type) {
		case object:
			if tags["member"] == nil {
				for k := range tags {
					keys = append(keys, k)
				}
			}
		case dict:
			for k := range tags {
				keys = append(keys, k)
			}
		}
	}
	for _, k := range asList(in["TagKeys"]) {
		keys = append(keys, said(k))
	}
	slices.Sort(keys)
	return keys
}

// asList reads a list of either protocol.
func asList(v any) []any {
	if list, ok := v.([]any); ok {
		return list
	}
	if o, ok := v.(object); ok {
		list, _ := queryList(o)
		return list
	}
	return nil
}

func said(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return ""
}
