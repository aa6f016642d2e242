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

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
	"github.com/firedrill/firedrill/observe/timeline"
)

const serveHelp = `Serve what the journal knows: /metrics for Prometheus, /healthz for whoever watches this process. It ends with a signal.
Nothing that it serves is secret, but it asks nobody who they are: it listens on loopback unless told otherwise.

With --webhooks it takes what PagerDuty sends by itself (V3 webhooks, at /webhooks/pagerduty) into the journals of the
environment's runs, within milliseconds and stamped in milliseconds. Whatever is not signed with one of the environment's
pagerduty.webhook_secrets is refused. Runs go on asking PagerDuty themselves: nothing is lost where nobody serves.`

type serveOptions struct {
	listen   string
	webhooks bool
}

func newServeCommand(d *Deps) *cobra.Command {
	var o serveOptions
	c := &cobra.Command{
		Use: "serve", Short: "Serve metrics of the runs, and take PagerDuty's webhooks, over HTTP", Long: serveHelp + exits(), Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runServe(c.Context(), d, o) },
	}
	c.Flags().StringVar(&o.listen, "listen", "127.0.0.1:9797", "address to listen on")
	c.Flags().BoolVar(&o.webhooks, "webhooks", false, "take PagerDuty's V3 webhooks of the environment")
	return c
}

func runServe(ctx context.Context, d *Deps, o serveOptions) error {
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	store, err := d.reading(ctx)
	if err != nil {
		return err
	}
	defer store.Close()
	l, err := net.Listen("tcp", o.listen)
	if err != nil {
		return &hinted{fmt.Errorf("serve: %w", err), "--listen 127.0.0.1:0"}
	}
	defer func() { _ = l.Close() }() // once it serves, the server closes it
	var hooks *webhooks
	if o.webhooks {
		door, end, err := d.openDoor(ctx, l.Addr().String())
		if err != nil {
			return err
		}
		defer end()
		hooks = door
	}
	s := server(d.handlerWith(store, hooks))
	failed := make(chan error, 1)
	go func() { failed <- s.Serve(l) }()
	fmt.Fprintf(d.Out, "serving http://%s/metrics\n", l.Addr())
	if hooks != nil {
		fmt.Fprintf(d.Out, "taking webhooks at http://%s%s\n", l.Addr(), webhookPath)
	}
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

// server gives nobody a connection to keep: strangers may come by where webhooks come in.
func server(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: time.Minute,
		IdleTimeout: time.Minute, MaxHeaderBytes: 64 << 10}
}

// openDoor makes what takes webhooks into an environment's journal, which it holds open until end.
func (d *Deps) openDoor(ctx context.Context, addr string) (door *webhooks, end func(), err error) {
	f, err := d.file()
	if err != nil {
		return nil, nil, err
	}
	env, _, err := d.environment(ctx, f, sandboxUse{})
	if err != nil {
		return nil, nil, err
	}
	store, err := d.storeOf(ctx, env, "webhooks")
	if err != nil {
		return nil, nil, err
	}
	signers, leave, err := d.signers(ctx, env, "http://"+addr+webhookPath)
	if err != nil {
		store.Close()
		return nil, nil, err
	}
	end = func() {
		leave()
		store.Close()
	}
	taken, err := drills.NewWebhooks(store, env, signers, d.Now)
	if err != nil {
		end()
		return nil, nil, err
	}
	return newWebhooks(taken, d.Err), end, nil
}

// signers are the secrets that webhooks of an environment are signed with. A sandbox is told where to send them, and
// leave tells it to stop; elsewhere a person does that once.
func (d *Deps) signers(ctx context.Context, env *drills.Environment, url string) (values []string, leave func(), err error) {
	if env.Sandbox == nil {
		if values, err = d.webhookSecrets(ctx, env); err == nil {
			howToSubscribe(d.Err, env)
		}
		return values, func() {}, err
	}
	secret, end, err := subscribe(ctx, env, url)
	return []string{secret}, func() {
		if err := end(context.WithoutCancel(ctx)); err != nil {
			fmt.Fprintln(d.Err, "firedrill: "+err.Error())
		}
	}, err
}

// handler answers with what the journal says at the moment of the question.
func (d *Deps) handler(store journal.Store) http.Handler { return d.handlerWith(store, nil) }

// handlerWith takes webhooks too; where hooks is nil it does not.
func (d *Deps) handlerWith(store journal.Store, hooks *webhooks) http.Handler {
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
		answer(w, r, func(w io.Writer, runs []timeline.Timeline) error {
			err := writeMetrics(w, runs)
			if err == nil && hooks != nil {
				hooks.metrics(w)
			}
			return err
		})
	})
	if hooks != nil {
		mux.Handle("POST "+webhookPath, hooks)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, r *http.Request) {
		if _, err := store.Runs(r.Context(), journal.Filter{Limit: 1}); err != nil {
			http.Error(w, "the journal cannot be read", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	return mux
}
