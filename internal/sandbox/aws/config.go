package aws

import (
	"encoding/json"
	"fmt"
	"net/http"
	"sort"
)

// ConfigJSON is everything people configured in the account, by service, as canonical JSON: keys sorted, no
// state, counters, traffic, ids or times. Two equal accounts give equal bytes.
func (c *Cloud) ConfigJSON() ([]byte, error) {
	all := map[string]any{}
	for _, s := range c.list {
		if v := s.config(); v != nil {
			all[s.id()] = v
		}
	}
	b, err := json.Marshal(all)
	if err != nil {
		return nil, fmt.Errorf("render config: %w", err)
	}
	// Once more through maps, which sorts the keys of structs too.
	var plain any
	if err := json.Unmarshal(b, &plain); err != nil {
		return nil, fmt.Errorf("sort config: %w", err)
	}
	if b, err = json.MarshalIndent(plain, "", " "); err != nil {
		return nil, fmt.Errorf("render config: %w", err)
	}
	return append(b, '\n'), nil
}

// Config answers GET /_sandbox/config with ConfigJSON.
func (c *Cloud) Config(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		http.Error(w, "config can only be read. Try: GET", http.StatusMethodNotAllowed)
		return
	}
	b, err := c.ConfigJSON()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(b)
}

// sortedBy is a sorted copy, for lists that have no order of their own.
func sortedBy[T any](list []T, key func(T) string) []T {
	out := append([]T{}, list...)
	sort.SliceStable(out, func(i, j int) bool { return key(out[i]) < key(out[j]) })
	return out
}
