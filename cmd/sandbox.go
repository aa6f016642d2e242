package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/sandbox"
)

const sandboxHelp = `Start the sandbox: a small staging of our own, in one process on loopback, with DynamoDB, SQS, a load balancer,
CloudWatch alarms, a pager and somebody on call. It is a sandbox and says so: nothing in it is real or secret.

It prints "sandbox ready URL instance ID" and writes sandbox.json into the state directory; run, plan and the other
verbs find it there. It ends with a signal.`

func newSandboxCommand(d *Deps) *cobra.Command {
	var listen, responder string
	c := &cobra.Command{
		Use: "sandbox", Short: "Start a toy staging to practise on", Long: sandboxHelp + exits(),
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return runSandbox(c.Context(), d, listen, responder) },
	}
	c.Flags().StringVar(&listen, "listen", "127.0.0.1:0", "loopback address to listen on")
	c.Flags().StringVar(&responder, "responder", "auto", "who answers the page: auto, slow or none")
	c.AddCommand(newSandboxEnvCommand(d))
	return c
}

func runSandbox(ctx context.Context, d *Deps, listen, responder string) error {
	host, _, err := net.SplitHostPort(listen)
	if ip := net.ParseIP(host); err != nil || (host != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return usage("the sandbox listens on loopback only, not on %q. Try: --listen 127.0.0.1:0", listen)
	}
	switch responder {
	case "auto", "slow", "none":
	default:
		return usage("responder %q. Try: auto, slow or none", responder)
	}
	ctx, sig := catch(ctx, d)
	defer sig.stop()
	s, err := sandbox.Start(ctx, sandbox.Options{Listen: listen, Responder: responder, Now: d.Now, Log: d.Err})
	if err != nil {
		return fmt.Errorf("start the sandbox: %w", err)
	}
	if w, err := d.runningSandbox(ctx); err == nil {
		fmt.Fprintf(d.Err, "firedrill: a sandbox is running already at %s; other verbs find this one from now on\n", w.URL)
	}
	path, err := d.sandboxFile()
	if err == nil {
		err = writeSandboxFile(path, s.World())
	}
	if err != nil {
		return errors.Join(err, s.Close())
	}
	fmt.Fprintf(d.Out, "sandbox ready %s instance %s\n", s.World().URL, s.World().Instance)
	<-ctx.Done()
	if w, err := readSandboxFile(path); err == nil && w.Instance == s.World().Instance {
		err = os.Remove(path)
		return errors.Join(err, s.Close())
	}
	return s.Close()
}

func writeSandboxFile(path string, w sandbox.World) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	b, err := json.Marshal(map[string]any{"url": w.URL, "instance": w.Instance, "pid": os.Getpid()})
	if err != nil {
		return err
	}
	tmp := path + ".new"
	if err := os.WriteFile(tmp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(tmp, path)
}

func readSandboxFile(path string) (w sandbox.World, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return w, err
	}
	return w, json.Unmarshal(b, &w)
}
