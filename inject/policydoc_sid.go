package inject

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
)

// sidPrefix begins the Sid of every statement of ours: Firedrill<run>Fault<fault>, and Probe after it on the one that only
// our own look meets. A Sid takes letters and digits only.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_sid.html
const (
	sidPrefix = "Firedrill"
	sidFault  = "Fault"
	sidProbe  = "Probe"
)

var sidForm = regexp.MustCompile(`^Firedrill((?:[a-z0-9]|X[0-9a-f]{2})+)Fault((?:[a-z0-9]|X[0-9a-f]{2})+)(?:Probe)?$`)

// sidOf is the mark as a Sid.
func sidOf(m Mark) string { return sidPrefix + sidWord(m.Run) + sidFault + sidWord(m.Fault) }

// sidWord spells everything but small letters and digits as X and two hexadecimal digits.
func sidWord(s string) string {
	var out strings.Builder
	for i := range len(s) {
		if c := s[i]; c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "X%02x", c)
		}
	}
	return out.String()
}

func unSid(word string) string {
	var out strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != 'X' {
			out.WriteByte(word[i])
			continue
		}
		c, _ := strconv.ParseUint(word[i+1:i+3], 16, 8) // the form says so
		out.WriteByte(byte(c))
		i += 2
	}
	return out.String()
}

// MarkOfSid reads whose a statement of a resource policy is; no for a stranger's. Until stands in its condition.
func MarkOfSid(sid string) (m Mark, ours bool) {
	found := sidForm.FindStringSubmatch(sid)
	if found == nil {
		return Mark{}, false
	}
	return Mark{Run: unSid(found[1]), Fault: unSid(found[2])}, true
}

// denyStatement is a statement as we write it.
type denyStatement struct {
	Sid       string
	Effect    string
	Principal string
	Action    []string
	Resource  []string
	Condition map[string]map[string]any
}

// probeAgent is what our own look says of itself in its User-Agent, for the statement that denies it.
const probeAgent = "firedrill-probe"

// denials are the two statements of a fault. The first denies actions to everybody but ours. The second denies those that our
// own look sends (probes), and only to it, told by its User-Agent: whoever is exempted from the first feels by it that the
// document is enforced. Both end at the mark's Until, by the service's own clock.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func denials(m Mark, resources, actions, probes, ours []string) []json.RawMessage {
	until := map[string]any{"aws:CurrentTime": m.Until.UTC().Format(time.RFC3339)}
	all := denyStatement{Sid: sidOf(m), Effect: "Deny", Principal: "*", Action: actions, Resource: resources,
		Condition: map[string]map[string]any{"DateLessThan": until, "ArnNotEquals": {"aws:PrincipalArn": ours}}}
	probe := denyStatement{Sid: sidOf(m) + sidProbe, Effect: "Deny", Principal: "*", Action: probes, Resource: resources[:1],
		Condition: map[string]map[string]any{"DateLessThan": until, "StringLike": {"aws:UserAgent": "*" + probeAgent + "/" + m.Run + "*"}}}
	return []json.RawMessage{asJSON(all), asJSON(probe)}
}

// principals are the ARNs that aws:PrincipalArn may have for a caller. A session is known by its role, whose path STS does
// not tell.
// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
func principals(caller string) []string {
	a, err := arn.Parse(caller)
	if err != nil {
		return nil
	}
	kind, rest, _ := strings.Cut(a.Resource, "/")
	if a.Service != "sts" || kind != "assumed-role" {
		return []string{caller}
	}
	role, _, _ := strings.Cut(rest, "/")
	a.Service, a.Resource = "iam", "role/"+role
	path := a
	path.Resource = "role/*/" + role
	return []string{a.String(), path.String()}
}
