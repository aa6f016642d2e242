package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

const serveHelp = `Serve what the journal knows: /metrics for Prometheus, /healthz for whoever watches this process. It only reads, and ends
with a signal. Nothing that it serves is secret, but it asks nobody who they are: it listens on loopback unless told
otherwise.`

func newServeCommand(d *Deps) *cobra.Command {
	var listen string
	c := &cobra.Command{
		Use: "serve", Short: "Serve metrics of the runs over HTTP", Long: serveHelp + exits(), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runServe(c.Context(), d, listen) },
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:9797", "address to listen on")
	return c
}

func runServe(ctx context.Context, d *Deps, listen string) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return &hinted{fmt.Errorf("serve: %w", err), "--listen 127.0.0.1:0"}
	}
	s := &http.Server{Handler: d.handler(store), ReadHeaderTimeout: 5 * time.Second, WriteTimeout: time.Minute}
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	fmt.Fprintf(d.Out, "serving http://%s/metrics\n", l.Addr())
	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err = s.Shutdown(end)
	if served := <-failed; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// handler answers with what the journal says at the moment of the question.
func (d *Deps) handler(store journal.Store) http.Handler {
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request, write func(io.Writer, []timeline.Timeline) error) {
		runs, err := d.timelines(r.Context(), store, "")
		if err == nil {
			err = write(w, runs)
		}
		if err != nil {
			fmt.Fprintln(d.Err, "firedrill: "+err.Error())
			http.Error(w, "the journal cannot be read", http.StatusInternalServerError)
		}
	}
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		answer(w, r, writeMetrics)
	})
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := store.Runs(r.Context(), journal.Filter{Limit: 1}); err != nil {
			http.Error(w, "the journal cannot be read", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}
