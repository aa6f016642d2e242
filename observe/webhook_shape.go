package observe

import "encoding/json"

// truth is a member that is true; whatever else it is, is not.
func (l loose) truth(name string) bool {
	var yes bool
	return json.Unmarshal(l[name], &yes) == nil && yes
}

// assignees are the ids of the users that an incident is assigned to.
func assignees(incident loose) (ids []string) {
	var list []json.RawMessage
	if json.Unmarshal(incident["assignees"], &list) != nil {
		return nil
	}
	for _, raw := range list {
		if who := looseOf(raw); isUser(who) && checkID("read webhook", "user", who.text("id")) == nil {
			ids = append(ids, who.text("id"))
		}
	}
	return ids
}
