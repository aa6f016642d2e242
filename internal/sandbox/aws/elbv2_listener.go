package aws

import (
	"context"
	"slices"
	"strings"
)

type (
	createListenerInput struct {
		LoadBalancerArn string
		Protocol        string
		Port            int
		DefaultActions  []elbAction
		Tags            []elbTag
	}
	describeListenersInput struct {
		elbPage
		LoadBalancerArn string
		ListenerArns    []string
	}
	listenersOutput struct {
		Listeners  []listenerShape
		NextMarker string
	}
	listenerShape struct {
		ListenerArn     string
		LoadBalancerArn string
		Port            int
		Protocol        string
		DefaultActions  []elbAction
	}
	deleteListenerInput struct{ ListenerArn string }
)

// createListener really listens, on 127.0.0.1. Port 0, which AWS does not know, picks a free one.
func (e *elb) createListener(_ context.Context, _ caller, in *createListenerInput) (*listenersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	b, err := e.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if in.Protocol != "HTTP" {
		return nil, elbError("UnsupportedProtocol", "The sandbox's listeners speak HTTP, not '%s'", in.Protocol)
	}
	if in.Port != 0 && slices.ContainsFunc(e.listeners, func(l *listener) bool { return l.port == in.Port && l.balancer == b }) {
		return nil, elbError("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", b.arn)
	}
	actions, err := e.checkActions(b, in.DefaultActions)
	if err != nil {
		return nil, err
	}
	tags, err := mergedTags(nil, in.Tags)
	if err != nil {
		return nil, err
	}
	l := &listener{elb: e, balancer: b, asked: in.Port, tags: tags}
	l.arn = strings.Replace(b.arn, ":loadbalancer/", ":listener/", 1) + "/" + newHex()
	if err := l.start(); err != nil {
		return nil, elbError("InvalidConfigurationRequest", "%s", err)
	}
	e.listeners = append(e.listeners, l)
	e.rules = append(e.rules, &rule{arn: l.newRuleARN(), listener: l.arn, actions: actions, tags: map[string]string{}})
	e.publish(l, 0)
	return &listenersOutput{Listeners: []listenerShape{e.listenerShape(l)}}, nil
}

func (e *elb) describeListeners(_ context.Context, _ caller, in *describeListenersInput) (*listenersOutput, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if in.LoadBalancerArn == "" && len(in.ListenerArns) == 0 {
		return nil, elbError("ValidationError", "Either listener ARNs or a load balancer ARN must be specified")
	}
	if in.LoadBalancerArn != "" {
		if _, err := e.balancer(in.LoadBalancerArn); err != nil {
			return nil, err
		}
	}
	for _, arn := range in.ListenerArns {
		if _, err := e.listener(arn); err != nil {
			return nil, err
		}
	}
	all := []listenerShape{}
	for _, l := range e.listeners {
		if slices.Contains(in.ListenerArns, l.arn) || l.balancer.arn == in.LoadBalancerArn {
			all = append(all, e.listenerShape(l))
		}
	}
	out, next, err := page(all, in.elbPage)
	return &listenersOutput{Listeners: out, NextMarker: next}, err
}

func (e *elb) deleteListener(_ context.Context, _ caller, in *deleteListenerInput) (*elbEmpty, error) {
	e.mu.Lock()
	l, err := e.listener(in.ListenerArn)
	if err == nil {
		e.forget(l)
	}
	e.mu.Unlock()
	if err != nil {
		return nil, err
	}
	l.stop()
	return &elbEmpty{}, nil
}

// forget takes a listener and its rules out of the account; its owner still has to stop it.
func (e *elb) forget(l *listener) *listener {
	e.listeners = slices.DeleteFunc(slices.Clone(e.listeners), func(other *listener) bool { return other == l })
	e.rules = slices.DeleteFunc(e.rules, func(r *rule) bool { return r.listener == l.arn })
	return l
}

func (e *elb) listenerShape(l *listener) listenerShape {
	rules := e.rulesOf(l.arn)
	return listenerShape{
		ListenerArn: l.arn, LoadBalancerArn: l.balancer.arn, Port: l.port, Protocol: "HTTP",
		DefaultActions: rules[len(rules)-1].actions,
	}
}

func (l *listener) newRuleARN() string {
	return strings.Replace(l.arn, ":listener/", ":listener-rule/", 1) + "/" + newHex()
}

// cutLast cuts around the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
