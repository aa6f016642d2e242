// Package sandbox is a small staging environment in one process on loopback: an AWS account, a shop that uses it,
// alarms, a pager and somebody on call. Its parts know each other by URL and key only; this package alone puts them
// together.
package sandbox

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/firedrill/firedrill/internal/sandbox/alarms"
	"github.com/firedrill/firedrill/internal/sandbox/aws"
	"github.com/firedrill/firedrill/internal/sandbox/orders"
	"github.com/firedrill/firedrill/internal/sandbox/pager"
	"github.com/firedrill/firedrill/internal/sandbox/responder"
	"github.com/firedrill/firedrill/internal/sandbox/slack"
)

// Options say where the sandbox listens and who is on call.
type Options struct {
	Listen    string           // address of the one port; empty is 127.0.0.1:0
	Responder string           // auto (the default), slow or none
	Now       func() time.Time // the clock of everything in it; required
	Log       io.Writer        // of what goes wrong inside; nil is nowhere
	Private   bool             // its load balancer is internal: the shop and its customers reach it, and whoever drills does not
}

// Sandbox is a running one. It lives until Close.
type Sandbox struct {
	world   World
	cloud   *aws.Cloud
	pager   *pager.Pager
	slack   *slack.Slack
	mux     *http.ServeMux
	servers []*http.Server
	log     *slog.Logger
	private bool

	ready atomic.Bool // world is complete, and does not change any more
	stop  context.CancelFunc
	halt  func(srv *http.Server) error
	tasks sync.WaitGroup
	once  sync.Once
	err   error
}

const (
	settle   = 30 * time.Second // how long everything may take to stand
	farewell = 2 * time.Second  // how long requests may take to end
)

// Start returns when everything stands, every alarm is OK and the call log is empty. ctx bounds the start only: what
// a drill changed must still be there to be put back after ctx has ended, so the sandbox lives until Close.
func Start(ctx context.Context, o Options) (*Sandbox, error) {
	pace, err := paceOf(o.Responder)
	if err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	front, err := listen(ctx, o.Listen)
	if err != nil {
		return nil, err
	}
	shop, err := listen(ctx, "")
	if err != nil {
		return nil, errors.Join(err, front.Close())
	}
	s := &Sandbox{private: o.Private, mux: http.NewServeMux(), log: slog.New(slog.NewTextHandler(o.Log, nil))}
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.halt = func(srv *http.Server) error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), farewell)
		defer cancel()
		if srv.Shutdown(ctx) != nil {
			return srv.Close()
		}
		return nil
	}
	s.world = newWorld("http://" + reachable(front.Addr()))
	s.world.OnCall.Answers = pace != nil
	s.cloud = aws.New(aws.Options{Now: o.Now, Account: s.world.Account, Alias: s.world.Alias, Region: s.world.Region, Keys: callers()})
	s.cloud.SetBase(s.world.AWS)
	s.pager = pager.New(pager.Options{Account: people(s.world), URL: s.world.URL, Now: o.Now, Seed: uint64(o.Now().UnixNano())})
	s.slack = slack.New(slack.Options{Token: slackToken, Secret: slackHook, Channels: channels(), Now: o.Now})
	s.routes()
	s.serve(front, s.mux)
	s.task("cloud", func() error { return s.cloud.Run(run) })
	s.task("pager", func() error { return s.pager.Run(run) })

	ctx, cancel := context.WithTimeout(ctx, settle)
	defer cancel()
	if err := s.furnish(ctx, run, shop, o.Now); err != nil {
		return nil, errors.Join(err, shop.Close(), s.Close())
	}
	if pace != nil {
		r := responder.New(s.responder(*pace))
		s.task("responder", func() error { return r.Run(run) })
	}
	s.cloud.ResetCalls()
	s.ready.Store(true)
	return s, nil
}

// furnish sets the account up through its API, as anybody would, and lets the shop and the alarms work.
func (s *Sandbox) furnish(ctx, run context.Context, shop net.Listener, now func() time.Time) error {
	st := newStaging(s.world)
	st.private = s.private
	if err := st.build(ctx, shop.Addr().(*net.TCPAddr).Port); err != nil {
		return fmt.Errorf("set up the sandbox: %w", err)
	}
	st.vars("http://" + shop.Addr().String())
	s.world = st.world
	k := s.world.Keys["orders"]
	service := orders.New(orders.Options{Endpoint: s.world.AWS, Region: s.world.Region, KeyID: k.ID, Secret: k.Secret, Table: ordersTable,
		Queue: s.world.Vars["orders_queue"], Balancer: s.world.Vars["lb_url"], Now: now})
	s.serve(shop, service)
	s.mux.HandleFunc("GET /_sandbox/logs", service.Log)
	k = s.world.Keys["alarm"]
	evaluator := alarms.New(s.world.AWS, k.ID, k.Secret, s.world.Region, now)
	err := evaluator.EvaluateOnce(ctx)
	if err != nil {
		err = evaluator.EvaluateOnce(ctx) // as in Run, the next evaluation makes up for a broken connection
	}
	if err != nil {
		return fmt.Errorf("bring the alarms to OK: %w", err)
	}
	// Only now: nobody is told of the alarms' first state.
	if err := st.subscribe(ctx); err != nil {
		return fmt.Errorf("set up the sandbox: %w", err)
	}
	s.task("orders", func() error { return service.Run(run) })
	s.task("alarms", func() error { return evaluator.Run(run) })
	if err := st.consumed(ctx, now); err != nil {
		return fmt.Errorf("wait for the consumer: %w", err)
	}
	return nil
}

func (s *Sandbox) responder(p responder.Pace) responder.Options {
	k, v := s.world.Keys["responder"], s.world.Vars
	return responder.Options{Pager: s.world.Pager, Phone: s.world.URL + "/app", Token: responderToken, User: firstResponder,
		AWS: s.world.AWS, Region: s.world.Region, Key: k.ID, Secret: k.Secret, Pace: p,
		Checks: []string{v["orders_url"] + "/health", v["users_url"], v["home_url"]}}
}

// World tells where everything is.
func (s *Sandbox) World() World { return s.world }

// Handler serves everything of the one port.
func (s *Sandbox) Handler() http.Handler { return s.mux }

// Close ends everything and waits for it.
func (s *Sandbox) Close() error {
	s.once.Do(func() {
		s.stop()
		errs := []error{s.cloud.Close()}
		for _, srv := range s.servers {
			errs = append(errs, s.halt(srv))
		}
		s.tasks.Wait()
		s.err = errors.Join(errs...)
	})
	return s.err
}

// task runs one part in a goroutine that Close waits for.
func (s *Sandbox) task(name string, run func() error) {
	s.tasks.Go(func() {
		if err := run(); err != nil {
			s.log.Error("stopped", "part", name, "err", err)
		}
	})
}

func (s *Sandbox) serve(l net.Listener, h http.Handler) {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug)}
	s.servers = append(s.servers, srv)
	s.task("http", func() error {
		if err := srv.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve %s: %w", l.Addr(), err)
		}
		return nil
	})
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	return l, nil
}

// reachable is the address a client on this machine uses.
func reachable(a net.Addr) string {
	t, ok := a.(*net.TCPAddr)
	if !ok || !t.IP.IsUnspecified() {
		return a.String()
	}
	return fmt.Sprintf("127.0.0.1:%d", t.Port)
}

func paceOf(name string) (*responder.Pace, error) {
	var p responder.Pace
	switch name {
	case "", "auto":
		p = responder.Auto()
	case "slow":
		p = responder.Slow()
	case "none":
		return nil, nil
	default:
		return nil, fmt.Errorf("responder %q is unknown. Try: auto, slow or none", name)
	}
	return &p, nil
}

// newInstance names this sandbox; no other has the name.
func newInstance() string {
	b := make([]byte, 8)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func pid() int { return os.Getpid() }
