package hands

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// app asks for the shop's pages as a customer does.
func (h *Hands) app(ctx context.Context) ([]Table, error) {
	t := Table{Title: "what the shop answers its customers", Head: []string{"PAGE", "STATUS", "FROM", "WORDS"}}
	for _, p := range h.o.Pages {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
		if err != nil {
			return nil, fmt.Errorf("get %s: %w", p.URL, err)
		}
		res, err := h.web.Do(req)
		if err != nil {
			t.Rows = append(t.Rows, []Cell{{Text: p.Name}, {"–", Bad}, {}, {Text: err.Error()}})
			continue
		}
		body, _ := io.ReadAll(io.LimitReader(res.Body, 4<<10)) // what has come is shown
		_ = res.Body.Close()
		from, words := "the shop", string(body)
		if res.Header.Get("Server") == "awselb/2.0" {
			from = "load balancer"
		}
		if words = text(&words); strings.HasPrefix(words, "<") {
			words = "(a page)"
		}
		if letters := []rune(words); len(letters) > quoted/2 {
			words = string(letters[:quoted/2]) + "…"
		}
		t.Rows = append(t.Rows, []Cell{{Text: p.Name}, tone(res.StatusCode < 400, fmt.Sprint(res.StatusCode)), {Text: from}, dim(words)})
	}
	return []Table{t}, nil
}

// logs are the shop's own lines, the newest last.
func (h *Hands) logs(ctx context.Context) ([]Table, error) {
	var lines []struct {
		At    time.Time `json:"at"`
		Text  string    `json:"text"`
		Times int       `json:"times"`
		Error bool      `json:"error"`
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, h.o.Logs, nil)
	if err != nil {
		return nil, fmt.Errorf("read the shop's log: %w", err)
	}
	if err := h.do(req, &lines); err != nil {
		return nil, fmt.Errorf("read the shop's log: %w", err)
	}
	t := Table{Title: "the shop's own log", Empty: "nothing: the shop has nothing to complain of"}
	for _, l := range lines {
		said := l.Text
		if l.Times > 1 {
			said += fmt.Sprintf(" (%d times)", l.Times)
		}
		t.Rows = append(t.Rows, []Cell{dim(l.At.Local().Format("15:04:05")), tone(!l.Error, said)})
	}
	return []Table{t}, nil
}

// do makes a request; what is not a success is an error that names it.
func (h *Hands) do(req *http.Request, out any) error {
	res, err := h.web.Do(req)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	defer func() { _ = res.Body.Close() }()
	if res.StatusCode >= 300 {
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		return fmt.Errorf("%s %s: %s", req.Method, req.URL.Path, res.Status)
	}
	if out == nil {
		return nil
	}
	if err := json.NewDecoder(res.Body).Decode(out); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL.Path, err)
	}
	return nil
}

// Answers says which page of the shop does not answer well, or nothing where all do.
func (h *Hands) Answers(ctx context.Context) string {
	for _, p := range h.o.Pages {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.URL, nil)
		if err != nil {
			return err.Error()
		}
		res, err := h.web.Do(req)
		if err != nil {
			return p.Name + " does not answer"
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10))
		_ = res.Body.Close()
		if res.StatusCode >= 400 {
			return fmt.Sprintf("%s still answers %d", p.Name, res.StatusCode)
		}
	}
	return ""
}
