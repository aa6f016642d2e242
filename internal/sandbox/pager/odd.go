package pager

import "encoding/json"

// oddities are log entries as PagerDuty has been seen to send them, against its own schema: types nobody
// documents, a channel or its type that is null, details that are not text. The knob odd adds them.
func (p *Pager) oddities(v view, i *incident) []json.RawMessage {
	var out []json.RawMessage
	for n, rest := range []string{
		`"type":"priority_change_log_entry","channel":{"type":"website","old_priority":null,"new_priority":{"summary":"P1"}},"agent":null`,
		`"type":"status_update_log_entry","channel":null,"message":"we are on it","agent":{"id":"PRESP01","summary":"First Responder"}`,
		`"type":"event_rule_action_log_entry","channel":{"type":null},"agent":{"id":"PX","type":"workflow_reference","summary":"a rule"}`,
		`"type":"trigger_log_entry","channel":{"type":"api"},"agent":null,"event_details":{"frequency":0.5,"list":[1]}`,
	} {
		out = append(out, json.RawMessage(`{"id":"`+i.id+`ODD`+string(rune('0'+n))+`","summary":"odd","created_at":"`+
			v.at(i.created)+`",`+rest+`}`))
	}
	return out
}
