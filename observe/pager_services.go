package observe

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"

	pd "github.com/PagerDuty/go-pagerduty"
)

// maxServicePages bounds a list of services that a person chooses from: 500 of them.
const maxServicePages = 5

// PagerService is one service, for who chooses one.
type PagerService struct {
	ID, Name, Status string // Status is PagerDuty's own word: active, critical, disabled, …
}

// Services lists the account's services by name, as far as the token may see them: the first 500.
func (p *PagerDuty) Services(ctx context.Context) ([]PagerService, error) {
	ctx, cancel := context.WithTimeout(ctx, pagerReadTime)
	defer cancel()
	var all []PagerService
	c := call{op: "list PagerDuty services", url: p.api + "/services", most: maxServicePages}
	err := p.pages(ctx, c, url.Values{"sort_by": {"name"}}, func(body []byte) (int, error) {
		var page struct {
			Services []pd.Service `json:"services"`
		}
		if err := json.Unmarshal(body, &page); err != nil {
			return 0, err
		}
		for _, s := range page.Services {
			if idForm.MatchString(s.ID) {
				all = append(all, PagerService{ID: s.ID, Name: plain(s.Name), Status: s.Status})
			}
		}
		return len(page.Services), nil
	})
	if err != nil && len(all) == 0 {
		return nil, err
	}
	slices.SortStableFunc(all, func(a, b PagerService) int { return strings.Compare(a.Name, b.Name) })
	return all, nil // of a list that is too long, its beginning
}
