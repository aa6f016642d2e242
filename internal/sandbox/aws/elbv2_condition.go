package aws

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

type (
	// elbCondition is one condition of a rule, as the API spells it. Regular expressions are not known here.
	elbCondition struct {
		Field                   string
		Values                  []string
		PathPatternConfig       *conditionValues
		HostHeaderConfig        *conditionValues
		HttpHeaderConfig        *headerCondition
		HttpRequestMethodConfig *conditionValues
		QueryStringConfig       *queryCondition
		SourceIpConfig          *conditionValues
	}
	conditionValues struct{ Values []string }
	headerCondition struct {
		HttpHeaderName string
		Values         []string
	}
	queryCondition struct{ Values []queryPair }
	queryPair      struct{ Key, Value string }
)

// checkConditions answers the conditions in the one form that Describe tells, or the refusal.
func checkConditions(in []elbCondition) ([]elbCondition, error) {
	if len(in) == 0 {
		return nil, elbError("ValidationError", "A rule must have at least one condition")
	}
	out, seen, values, wildcards := []elbCondition{}, map[string]bool{}, 0, 0
	for _, c := range in {
		many := c.Field == "http-header" || c.Field == "query-string"
		if seen[c.Field] && !many {
			return nil, elbError("ValidationError", "A rule can have only one '%s' condition", c.Field)
		}
		seen[c.Field] = true
		c, err := c.normal()
		if err != nil {
			return nil, err
		}
		for _, v := range c.patterns() {
			if v == "" || len(v) > 128 {
				return nil, elbError("ValidationError", "A condition value has 1 to 128 characters, not '%s'", v)
			}
			wildcards += strings.Count(v, "*") + strings.Count(v, "?")
			values++
		}
		out = append(out, c)
	}
	if values > maxConditions {
		return nil, elbError("ValidationError", "A rule can have at most '%d' condition values", maxConditions)
	}
	if wildcards > maxWildcards {
		return nil, elbError("ValidationError", "A rule can have at most '%d' wildcards", maxWildcards)
	}
	return out, nil
}

// normal is the condition with its values where its field keeps them; paths, hosts and methods are also told in
// Values, as older clients know them.
func (c elbCondition) normal() (elbCondition, error) {
	out := elbCondition{Field: c.Field}
	pick := func(config *conditionValues) *conditionValues {
		if config != nil {
			return &conditionValues{Values: slices.Clone(config.Values)}
		}
		return &conditionValues{Values: slices.Clone(c.Values)}
	}
	switch c.Field {
	case "path-pattern":
		out.PathPatternConfig = pick(c.PathPatternConfig)
		out.Values = out.PathPatternConfig.Values
	case "host-header":
		out.HostHeaderConfig = pick(c.HostHeaderConfig)
		out.Values = out.HostHeaderConfig.Values
	case "http-request-method":
		out.HttpRequestMethodConfig = pick(c.HttpRequestMethodConfig)
	case "source-ip":
		out.SourceIpConfig = pick(c.SourceIpConfig)
		for _, v := range out.SourceIpConfig.Values {
			if _, err := netip.ParsePrefix(v); err != nil {
				return out, elbError("ValidationError", "The source IP '%s' must be a CIDR block", v)
			}
		}
	case "http-header":
		if c.HttpHeaderConfig == nil || c.HttpHeaderConfig.HttpHeaderName == "" || strings.EqualFold(c.HttpHeaderConfig.HttpHeaderName, "Host") {
			return out, elbError("ValidationError", "An http-header condition must name a header, and not Host")
		}
		out.HttpHeaderConfig = &headerCondition{c.HttpHeaderConfig.HttpHeaderName, slices.Clone(c.HttpHeaderConfig.Values)}
	case "query-string":
		if c.QueryStringConfig == nil {
			return out, elbError("ValidationError", "A query-string condition must have values")
		}
		out.QueryStringConfig = &queryCondition{slices.Clone(c.QueryStringConfig.Values)}
	default:
		return out, elbError("ValidationError", "Condition field '%s' must be one of '[path-pattern, host-header, http-header, query-string, source-ip, http-request-method]'", c.Field)
	}
	if len(out.patterns()) == 0 {
		return out, elbError("ValidationError", "A condition value must be specified for '%s'", c.Field)
	}
	return out, nil
}

// patterns lists a normal condition's values.
func (c elbCondition) patterns() []string {
	switch c.Field {
	case "http-header":
		return c.HttpHeaderConfig.Values
	case "query-string":
		var out []string
		for _, p := range c.QueryStringConfig.Values {
			out = append(out, p.Value)
		}
		return out
	case "http-request-method":
		return c.HttpRequestMethodConfig.Values
	case "source-ip":
		return c.SourceIpConfig.Values
	}
	return c.Values
}

// matches says whether a request meets the condition: any of its values will do. Paths, methods and nothing else
// are told apart by case.
func (c elbCondition) matches(r *http.Request) bool {
	folded := func(pattern, text string) bool { return like(strings.ToLower(pattern), strings.ToLower(text)) }
	return slices.ContainsFunc(c.alternatives(), func(want queryPair) bool {
		switch c.Field {
		case "path-pattern":
			return like(want.Value, r.URL.Path)
		case "host-header":
			return folded(want.Value, hostOf(r.Host))
		case "http-request-method":
			return want.Value == r.Method
		case "source-ip":
			return within(want.Value, r.RemoteAddr)
		case "http-header":
			return some(r.Header.Values(c.HttpHeaderConfig.HttpHeaderName), func(v string) bool { return folded(want.Value, v) })
		}
		for key, values := range r.URL.Query() {
			if (want.Key == "" || folded(want.Key, key)) && some(values, func(v string) bool { return folded(want.Value, v) }) {
				return true
			}
		}
		return false
	})
}

// alternatives are the values as pairs; only a query string's have keys.
func (c elbCondition) alternatives() []queryPair {
	if c.Field == "query-string" {
		return c.QueryStringConfig.Values
	}
	var out []queryPair
	for _, v := range c.patterns() {
		out = append(out, queryPair{Value: v})
	}
	return out
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return hostport
}

func within(cidr, remote string) bool {
	prefix, err := netip.ParsePrefix(cidr)
	if err != nil {
		return false
	}
	from, err := netip.ParseAddrPort(remote)
	return err == nil && prefix.Contains(from.Addr().Unmap())
}
