package cmd

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/firedrill/firedrill/internal/sandbox"
)

const sandboxEnvHelp = `Print exports that point the AWS CLI at the running sandbox:  eval "$(firedrill sandbox env)"
Its key is nobody's whom the sandbox knows, so what you do with it counts as what a stranger did. For fish: --shell
fish | source. With --unset it prints how to go back.

The sandbox is that of FIREDRILL_SANDBOX, else the one that runs in a process of its own. firedrill play says under
"help" where its own is.`

func newSandboxEnvCommand(d *Deps) *cobra.Command {
	var shell string
	var unset bool
	c := &cobra.Command{
		Use: "env", Short: "Print exports for the AWS CLI", Args: cobra.NoArgs, Long: sandboxEnvHelp + exits(),
		RunE: func(c *cobra.Command, _ []string) error { return runSandboxEnv(c.Context(), d, shell, unset) },
	}
	c.Flags().StringVar(&shell, "shell", "sh", "sh (bash, zsh, dash …) or fish")
	c.Flags().BoolVar(&unset, "unset", false, "print what takes them back")
	return c
}

// shell is how variables are set, taken away, and a function called aws is made in one.
type shell struct{ set, unset, aws, noAWS string }

// shellOf knows two. Older AWS CLIs know AWS_ENDPOINT_URL not at all, or not for every service, and would ask the real
// AWS: hence the function.
func shellOf(name string) (shell, error) {
	switch name {
	case "sh":
		return shell{"export %s=%q\n", "unset %s\n", `aws() { command aws --endpoint-url "$AWS_ENDPOINT_URL" "$@"; }`, "unset -f aws"}, nil
	case "fish":
		return shell{"set -gx %s %q;\n", "set -e %s;\n", `function aws; command aws --endpoint-url $AWS_ENDPOINT_URL $argv; end;`, "functions -e aws;"}, nil
	}
	return shell{}, usage("shell %q. Try: --shell sh or --shell fish", name)
}

// exported are the variables, in the order in which they are printed.
func exported(w sandbox.World) [][2]string {
	key := w.Keys["other"]
	return [][2]string{
		{"AWS_ENDPOINT_URL", w.AWS}, {"AWS_REGION", w.Region}, {"AWS_DEFAULT_REGION", w.Region}, {"AWS_ACCESS_KEY_ID", key.ID},
		{"AWS_SECRET_ACCESS_KEY", key.Secret}, {"AWS_EC2_METADATA_DISABLED", "true"}, {"FIREDRILL_SANDBOX", w.URL},
	}
}

func runSandboxEnv(ctx context.Context, d *Deps, name string, unset bool) error {
	sh, err := shellOf(name)
	if err != nil {
		return err
	}
	if unset { // the sandbox may have gone
		for _, kv := range exported(sandbox.World{}) {
			fmt.Fprintf(d.Out, sh.unset, kv[0])
		}
		fmt.Fprintln(d.Out, sh.noAWS)
		return nil
	}
	env, _, err := d.sandboxEnvironment(ctx, sandboxUse{})
	if err != nil {
		return err
	}
	w, err := askInstance(ctx, env.Sandbox.URL, env.Sandbox.Instance)
	if err != nil {
		return err
	}
	for _, kv := range exported(w) {
		fmt.Fprintf(d.Out, sh.set, kv[0], kv[1])
	}
	for _, name := range []string{"AWS_PROFILE", "AWS_SESSION_TOKEN"} {
		fmt.Fprintf(d.Out, sh.unset, name)
	}
	fmt.Fprintln(d.Out, sh.aws)
	back := `eval "$(firedrill sandbox env --unset)"`
	if name == "fish" {
		back = "firedrill sandbox env --shell fish --unset | source"
	}
	fmt.Fprintf(d.Out, "# Back to your own account: %s, and set AWS_PROFILE again if you had one.\n", back)
	return nil
}
