package orders

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// heartbeat is the order that the service writes over and over, to know that it can.
	heartbeat = "heartbeat"
	// memory is how long a failed write makes the service unhealthy, unless a newer one succeeds.
	memory = 2 * time.Second
	// patience is how long one request may take.
	patience = 2 * time.Second
	maxOrder = 64 << 10
)

// order is what customers send.
type order struct {
	ID   string `json:"id"`
	Item string `json:"item"`
}

func (s *Service) routes() {
	s.mux.HandleFunc("POST /orders", s.place)
	s.mux.HandleFunc("GET /orders/{id}", s.look)
	s.mux.HandleFunc("GET /users", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, http.StatusOK, struct {
			Users []string `json:"users"`
		}{[]string{"ada", "grace", "linus"}})
	})
	s.mux.HandleFunc("GET /health", s.health)
	s.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!doctype html><title>Orders</title><h1>Orders</h1><p>A toy shop of the firedrill sandbox.</p>\n")
	})
}

// ServeHTTP is the orders API: POST /orders, GET /orders/ID, /users, /health and a page.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

func (s *Service) place(w http.ResponseWriter, r *http.Request) {
	var o order
	if err := json.NewDecoder(io.LimitReader(r.Body, maxOrder)).Decode(&o); err != nil || o.ID == "" {
		answer(w, http.StatusBadRequest, problem{"an order is {\"id\": …, \"item\": …}"})
		return
	}
	if err := s.write(r.Context(), o.ID, o.Item); err != nil {
		answer(w, http.StatusServiceUnavailable, problem{err.Error()})
		return
	}
	answer(w, http.StatusCreated, o)
}

func (s *Service) look(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	out, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.o.Table,
		Key: map[string]types.AttributeValue{"id": &types.AttributeValueMemberS{Value: r.PathValue("id")}}})
	switch {
	case err != nil:
		s.fail()
		answer(w, http.StatusServiceUnavailable, problem{err.Error()})
	case len(out.Item) == 0:
		answer(w, http.StatusNotFound, problem{"no such order"})
	default:
		answer(w, http.StatusOK, order{ID: r.PathValue("id"), Item: text(out.Item["item"])})
	}
}

// write puts an order into the table and remembers how that went.
func (s *Service) write(ctx context.Context, id, item string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.o.Table, Item: map[string]types.AttributeValue{
		"id":   &types.AttributeValueMemberS{Value: id},
		"item": &types.AttributeValueMemberS{Value: item},
	}})
	now := s.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil {
		s.failed = now
		s.errors++
		if ctx.Err() == nil {
			s.log.say(now, true, fmt.Sprintf("write order %s: %v", id, err))
		}
		return fmt.Errorf("write order %s: %w", id, err)
	}
	if s.wrote.Before(s.failed) {
		s.log.say(now, false, "orders can be written")
	}
	s.wrote = now
	return nil
}

func (s *Service) fail() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.errors++
}

// health says whether orders can be written: bad while the last write failed, at most two seconds ago.
func (s *Service) health(w http.ResponseWriter, _ *http.Request) {
	now := s.o.Now()
	s.mu.Lock()
	bad := !s.failed.IsZero() && now.Sub(s.failed) < memory && !s.wrote.After(s.failed)
	s.mu.Unlock()
	if bad {
		answer(w, http.StatusServiceUnavailable, problem{"orders cannot be written"})
		return
	}
	answer(w, http.StatusOK, struct {
		Status string `json:"status"`
	}{"ok"})
}

type problem struct {
	Error string `json:"error"`
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func text(v types.AttributeValue) string {
	if s, ok := v.(*types.AttributeValueMemberS); ok {
		return s.Value
	}
	return ""
}
