package aws

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// idleTimeout is how long a target may take to answer before the load balancer answers 504, its default:
// https://docs.aws.amazon.com/elasticloadbalancing/latest/application/application-load-balancers.html
const idleTimeout = 60 * time.Second

// listener is one HTTP listener of a load balancer, which really listens.
type listener struct {
	elb      *elb
	arn      string
	balancer *balancer
	asked    int // the port asked for; 0 let us pick
	port     int
	tags     map[string]string
	seen     []ruleSet // what the data plane has been told, oldest first
	turns    int       // requests forwarded, for weights

	server  *http.Server
	serving sync.WaitGroup
	stopped bool
}

// ruleSet is a listener's rules as the data plane sees them from an instant on.
type ruleSet struct {
	from  time.Time
	rules []rule
}

func newTargetTransport() *http.Transport {
	return &http.Transport{
		DialContext:           (&net.Dialer{Timeout: time.Second}).DialContext,
		ResponseHeaderTimeout: idleTimeout, MaxIdleConnsPerHost: 32, IdleConnTimeout: idleTimeout, DisableCompression: true,
	}
}

func (l *listener) start() error {
	ln, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(l.asked)))
	if err != nil {
		return fmt.Errorf("listen on port %d: %w", l.asked, err)
	}
	l.port = ln.Addr().(*net.TCPAddr).Port
	l.server = &http.Server{Handler: l, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: idleTimeout, IdleTimeout: idleTimeout}
	l.serving.Go(func() {
		_ = l.server.Serve(ln) // it ends when stop closes the server
	})
	return nil
}

// stop ends the listener, cuts off whoever is being served and waits for it. The service's lock must not be held.
func (l *listener) stop() {
	l.elb.mu.Lock()
	l.stopped = true
	l.elb.mu.Unlock()
	_ = l.server.Close() // whatever it says, it serves nobody any more
	l.serving.Wait()
}

// publish tells the data plane the rules as they are now; it heeds them after the delay.
func (e *elb) publish(l *listener, delay time.Duration) {
	set := ruleSet{from: e.now().Add(delay)}
	for _, r := range e.rulesOf(l.arn) {
		set.rules = append(set.rules, *r)
	}
	l.seen = append(l.seen, set)
}

// current is the rules the data plane heeds at an instant.
func (l *listener) current(now time.Time) []rule {
	for len(l.seen) > 1 && !l.seen[1].from.After(now) {
		l.seen = l.seen[1:]
	}
	return l.seen[0].rules
}

// ServeHTTP is the data plane: the first rule whose conditions all match answers.
func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	e := l.elb
	e.mu.Lock()
	if l.stopped {
		e.mu.Unlock()
		panic(http.ErrAbortHandler)
	}
	l.serving.Add(1)
	rules := l.current(e.now())
	e.mu.Unlock()
	defer l.serving.Done()
	for _, one := range rules {
		if slices.ContainsFunc(one.conditions, func(c elbCondition) bool { return !c.matches(r) }) {
			continue
		}
		switch a := one.actions[0]; a.Type {
		case "fixed-response":
			l.answer(w, a.FixedResponseConfig)
		case "redirect":
			l.redirect(w, r, a.RedirectConfig)
		default:
			l.forward(w, r, a.ForwardConfig)
		}
		return
	}
}

// answer is a fixed response. It originates from the load balancer: a 5xx of it counts as HTTPCode_ELB_5XX_Count and
// never as HTTPCode_Target_5XX_Count.
func (l *listener) answer(w http.ResponseWriter, f *fixedResponse) {
	status, _ := strconv.Atoi(f.StatusCode)
	l.count("HTTP_Fixed_Response_Count", 1)
	l.own(w, status, f.ContentType, f.MessageBody)
}

// own is an answer of the load balancer's own.
func (l *listener) own(w http.ResponseWriter, status int, contentType, body string) {
	l.countOwn(status)
	if contentType == "" {
		contentType = "text/plain"
	}
	w.Header().Set("Server", "awselb/2.0")
	w.Header().Set("Content-Type", contentType+"; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // a client that left needs no answer
}

func (l *listener) redirect(w http.ResponseWriter, r *http.Request, to *redirect) {
	port := strconv.Itoa(l.port)
	fill := strings.NewReplacer("#{protocol}", "http", "#{host}", hostOf(r.Host), "#{port}", port,
		"#{path}", strings.TrimPrefix(r.URL.Path, "/"), "#{query}", r.URL.RawQuery)
	u := url.URL{
		Scheme: strings.ToLower(fill.Replace(to.Protocol)), Host: net.JoinHostPort(fill.Replace(to.Host), fill.Replace(to.Port)),
		Path: fill.Replace(to.Path), RawQuery: fill.Replace(to.Query),
	}
	status := http.StatusFound
	if to.StatusCode == "HTTP_301" {
		status = http.StatusMovedPermanently
	}
	l.count("HTTP_Redirect_Count", 1)
	w.Header().Set("Location", u.String())
	l.own(w, status, "text/html", "")
}

// forward sends the request to a target of one of the groups, by weight; a group without targets answers 503, and
// no other group takes over.
func (l *listener) forward(w http.ResponseWriter, r *http.Request, f *forwardAction) {
	group, target, ok := l.choose(f)
	if !ok {
		l.own(w, http.StatusServiceUnavailable, "text/html", "503 Service Temporarily Unavailable\n")
		return
	}
	l.count("RequestCount", 1)
	start := l.elb.now()
	proxy := httputil.ReverseProxy{
		Transport: l.elb.transport,
		ErrorLog:  log.New(io.Discard, "", 0),
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: target.address()})
			p.Out.Host = p.In.Host
			p.Out.Header["X-Forwarded-For"] = p.In.Header["X-Forwarded-For"]
			p.SetXForwarded()
			p.Out.Header.Set("X-Forwarded-Port", strconv.Itoa(l.port))
		},
		ModifyResponse: func(resp *http.Response) error {
			l.countTarget(group, resp.StatusCode, l.elb.now().Sub(start))
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			var slow net.Error
			switch {
			case r.Context().Err() != nil: // the client closed the connection: 460, as the load balancer's logs have it
				l.countOwn(460)
			case errors.As(err, &slow) && slow.Timeout():
				l.own(w, http.StatusGatewayTimeout, "text/html", "504 Gateway Time-out\n")
			default:
				l.own(w, http.StatusBadGateway, "text/html", "502 Bad Gateway\n")
			}
		},
	}
	proxy.ServeHTTP(w, r)
}

// choose picks a target group by weight, in turn, and a target of it, in turn.
func (l *listener) choose(f *forwardAction) (group string, t elbTarget, ok bool) {
	l.elb.mu.Lock()
	defer l.elb.mu.Unlock()
	total := 0
	for _, w := range f.TargetGroups {
		total += *w.Weight
	}
	if total == 0 {
		return "", elbTarget{}, false
	}
	// A stride that shares no factor with the total spreads the turns instead of serving each group in one go.
	place := l.turns * stride(total) % total
	l.turns++
	for _, w := range f.TargetGroups {
		if place -= *w.Weight; place >= 0 {
			continue
		}
		g, err := l.elb.group(w.TargetGroupArn)
		if err != nil || len(g.targets) == 0 {
			return "", elbTarget{}, false
		}
		ready := g.ready(l.elb.now())
		g.next++
		return g.arn, ready[g.next%len(ready)], true
	}
	return "", elbTarget{}, false
}

// stride is near the golden section of n and has no factor in common with it.
func stride(n int) int {
	for s := max(n*618/1000, 1); ; s++ {
		a, b := n, s
		for b != 0 {
			a, b = b, a%b
		}
		if a == 1 {
			return s
		}
	}
}
