package main

import (
	"maps"
	"slices"
	"strings"
)

// kept are the calls that firedrill makes or may come to make, by path.
func kept() map[string]string {
	return map[string]string{
		"/abilities":                                         "get",
		"/alert_grouping_settings":                           "get",
		"/analytics/raw/incidents":                           "post",
		"/analytics/raw/incidents/{id}":                      "get",
		"/escalation_policies/{id}":                          "get",
		"/event_orchestrations":                              "get",
		"/event_orchestrations/{id}/global":                  "get",
		"/event_orchestrations/{id}/router":                  "get",
		"/event_orchestrations/services/{service_id}":        "get",
		"/event_orchestrations/services/{service_id}/active": "get",
		"/incident_workflows":                                "get",
		"/incident_workflows/triggers":                       "get",
		"/incidents":                                         "get post put",
		"/incidents/types":                                   "get",
		"/incidents/{id}":                                    "get put",
		"/incidents/{id}/alerts":                             "get",
		"/incidents/{id}/alerts/{alert_id}":                  "get",
		"/incidents/{id}/log_entries":                        "get",
		"/incidents/{id}/merge":                              "put",
		"/incidents/{id}/notes":                              "get post",
		"/incidents/{id}/notes/{note_id}":                    "put delete",
		"/incidents/{id}/snooze":                             "post",
		"/log_entries":                                       "get",
		"/log_entries/{id}":                                  "get",
		"/maintenance_windows":                               "get post",
		"/maintenance_windows/{id}":                          "get delete",
		"/oncalls":                                           "get",
		"/paused_incident_reports/alerts":                    "get",
		"/priorities":                                        "get",
		"/services":                                          "get",
		"/services/{id}":                                     "get",
		"/services/{id}/integrations/{integration_id}":       "get",
		"/users":                             "get",
		"/users/me":                          "get",
		"/users/{id}":                        "get",
		"/users/{id}/contact_methods":        "get",
		"/users/{id}/notification_rules":     "get",
		"/webhook_subscriptions":             "get post",
		"/webhook_subscriptions/{id}":        "get put delete",
		"/webhook_subscriptions/{id}/enable": "post",
		"/webhook_subscriptions/{id}/ping":   "post",
	}
}

// prune keeps the calls that are named, and the components that these need.
func prune(d document, calls map[string]string) document {
	out, paths, components := document{}, document{}, document{}
	for k, v := range d {
		if k != "paths" && k != "components" && k != "tags" {
			out[k] = v
		}
	}
	all := object(d, "paths")
	for path, methods := range calls {
		item, ok := all[path].(document)
		if !ok {
			continue // PagerDuty does not publish it: whoever calls it is told that there is no such route
		}
		one := document{}
		for k, v := range item {
			if k == "parameters" || slices.Contains(strings.Fields(methods), k) {
				one[k] = v
			}
		}
		paths[path] = one
	}
	var take func(node any)
	take = func(node any) {
		refs(node, func(o document) {
			ref, _ := o["$ref"].(string)
			parts := strings.Split(ref, "/")
			if len(parts) < 4 || parts[1] != "components" {
				return
			}
			kind, name := object(components, parts[2]), strings.ReplaceAll(parts[3], "~1", "/")
			if _, known := kind[name]; known {
				return
			}
			components[parts[2]] = kind
			kind[name] = object(d, "components", parts[2])[name]
			take(kind[name])
		})
	}
	take(paths)
	components["securitySchemes"] = object(d, "components", "securitySchemes")
	out["paths"], out["components"] = paths, components
	return out
}

// refs calls f for every object that holds a reference, those in named examples too.
func refs(node any, f func(document)) {
	switch n := node.(type) {
	case document:
		if _, ok := n["$ref"].(string); ok {
			f(n)
		}
		for _, k := range slices.Sorted(maps.Keys(n)) {
			refs(n[k], f)
		}
	case []any:
		for _, v := range n {
			refs(v, f)
		}
	}
}
