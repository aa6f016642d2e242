package observe

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
)

// How a change came about, as Change.How tells it.
const (
	ByPerson      = "person"      // somebody's own credentials: an IAM user, a session of IAM Identity Center, the root user
	ByAutoScaling = "autoscaling" // AWS's, of a table or a group
	ByDeploy      = "deploy"      // CloudFormation, CodeDeploy, ECS and their like
	ByTerraform   = "terraform"   // terraform apply, whoever ran it
	ByService     = "service"     // another service of AWS
	ByFiredrill   = "firedrill"   // we, or our dead-man's switch
	ByUnknown     = "unknown"     // a role that anything may stand behind
)

// identity is who did it, as CloudTrail's records have it:
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html
type identity struct {
	Type      string `json:"type"`
	ARN       string `json:"arn"`
	UserName  string `json:"userName"`
	InvokedBy string `json:"invokedBy"`
	Session   struct {
		Issuer struct {
			ARN      string `json:"arn"`
			UserName string `json:"userName"`
		} `json:"sessionIssuer"`
	} `json:"sessionContext"`
}

// record is a CloudTrail record as far as a drill asks.
type record struct {
	Identity    identity  `json:"userIdentity"`
	Time        time.Time `json:"eventTime"`
	Name        string    `json:"eventName"`
	Agent       string    `json:"userAgent"`
	Source      string    `json:"sourceIPAddress"`
	ErrorCode   string    `json:"errorCode"`
	Type        string    `json:"eventType"`
	ReadOnly    *bool     `json:"readOnly"`
	FromConsole string    `json:"sessionCredentialFromConsole"`
}

// change reads an event that changes something; false: it does not, or is of another time.
func (t *trail) change(e types.Event, target string, from, to time.Time) (Change, bool) {
	var r record
	if json.Unmarshal([]byte(aws.ToString(e.CloudTrailEvent)), &r) != nil {
		r = record{}
	}
	at := r.Time
	if at.IsZero() {
		at = aws.ToTime(e.EventTime)
	}
	reads := aws.ToString(e.ReadOnly) == "true" || r.ReadOnly != nil && *r.ReadOnly
	if reads || at.IsZero() || at.Before(from.Truncate(time.Second)) || at.After(to) {
		return Change{}, false
	}
	c := Change{At: at.UTC(), Event: plain(cmp.Or(r.Name, aws.ToString(e.EventName))), Target: target, Failed: r.ErrorCode != ""}
	c.How, c.By = t.how(r), r.who(aws.ToString(e.Username))
	return c, true
}

// how says what stands behind a change. What acts for somebody else is named before the somebody: a person who runs
// terraform apply did not mend by hand.
func (t *trail) how(r record) string {
	role, session, isRole := roleOf(r.Identity.ARN)
	by := strings.ToLower(cmp.Or(r.Identity.InvokedBy, awsName(r.Source), awsName(r.Agent)))
	agent := strings.ToLower(r.Agent)
	switch {
	case strings.HasPrefix(session, "firedrill-"), slices.Contains(strings.Fields(agent), "app/firedrill"), t.ours(r, role):
		return ByFiredrill
	case strings.Contains(agent, "terraform"), strings.Contains(agent, "hashicorp"), strings.Contains(agent, "opentofu"):
		return ByTerraform
	case strings.Contains(by, "autoscaling"), strings.HasPrefix(role, "AWSServiceRoleForApplicationAutoScaling"), strings.HasPrefix(role, "AWSServiceRoleForAutoScaling"):
		return ByAutoScaling
	case deploys(by), strings.Contains(agent, "aws-cdk"), strings.Contains(agent, "pulumi"):
		return ByDeploy
	case by != "", r.Identity.Type == "AWSService", r.Type == "AwsServiceEvent", strings.HasPrefix(role, "AWSServiceRoleFor"):
		return ByService
	case r.Identity.Type == "Root", r.Identity.Type == "IAMUser", r.Identity.Type == "IdentityCenterUser", r.Identity.Type == "SAMLUser",
		isRole && strings.HasPrefix(role, "AWSReservedSSO_"), r.FromConsole == "true":
		return ByPerson
	default:
		return ByUnknown
	}
}

// ours says that a role of ours acted.
func (t *trail) ours(r record, role string) bool {
	return slices.ContainsFunc(t.roles, func(arn string) bool {
		return arn != "" && (arn == r.Identity.Session.Issuer.ARN || role != "" && strings.HasSuffix(arn, "/"+role) && strings.Contains(arn, ":role/"))
	})
}

// deploys says that a service of AWS is one that people deploy with.
func deploys(by string) bool {
	name, _, _ := strings.Cut(by, ".")
	return slices.Contains([]string{"cloudformation", "codedeploy", "codepipeline", "codebuild", "ecs", "ecs-tasks", "elasticbeanstalk", "proton", "deploy"}, name)
}

// awsName is a service's name, where an address or an agent is one.
func awsName(s string) string {
	if strings.HasSuffix(s, ".amazonaws.com") && !strings.HasPrefix(s, "signin.") && !strings.HasPrefix(s, "console.") && !strings.ContainsAny(s, " /") {
		return s
	}
	return ""
}

// roleOf splits the ARN of a role's session.
func roleOf(arn string) (role, session string, ok bool) {
	_, rest, ok := strings.Cut(arn, ":assumed-role/")
	role, session, _ = strings.Cut(rest, "/")
	return role, session, ok
}

// who names whoever did it, for people. A session of IAM Identity Center is called by its owner's e-mail address, of
// which only the part before the @ is told.
func (r record) who(username string) string {
	role, session, isRole := roleOf(r.Identity.ARN)
	name := cmp.Or(r.Identity.UserName, username)
	switch {
	case r.Identity.Type == "Root":
		name = "the root user"
	case r.Identity.InvokedBy != "":
		name = r.Identity.InvokedBy
	case isRole && strings.HasPrefix(role, "AWSReservedSSO_"):
		name = session
	case isRole:
		name = role + "/" + session
	}
	name, _, _ = strings.Cut(plain(name), "@")
	return address.ReplaceAllString(name, redacted)
}
