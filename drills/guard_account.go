package drills

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/firedrill/firedrill/inject"
)

// callerAge is how long an answer of STS is believed.
const callerAge = time.Minute

func (st *Steps) whoami(ctx context.Context) (Caller, error) {
	now := st.World.Clock.Now()
	if !st.callerRead.IsZero() && now.Sub(st.callerRead) < callerAge {
		return st.caller, nil
	}
	c, err := st.World.Caller(ctx)
	if err != nil {
		return c, err
	}
	st.caller, st.callerRead = c, now
	return c, nil
}

// nobody refuses because nobody knows who we are.
func nobody(err error) *Refusal {
	var no *inject.NoAnswer
	if errors.As(err, &no) {
		return refuse("account", no.Try, "%v", err)
	}
	return refuse("account", "check the credentials: aws sts get-caller-identity", "%v", err)
}

// checkAccount: the credentials stand in the environment's account and region, and neither is called production.
func (st *Steps) checkAccount(ctx context.Context, _ *Plan, f *found) *Refusal {
	c, err := st.whoami(ctx)
	if err != nil {
		return nobody(err)
	}
	if want := st.Env.AWS.Account; want == "" || c.Account != want {
		return refuse("account", "use the credentials of environment "+st.Env.Name, "these credentials stand in account %s, environment %s is %s", c.Account, st.Env.Name, want)
	}
	if !slices.Contains(st.Env.AWS.Regions, c.Region) {
		return refuse("region", "add it to aws.regions, or drill in a region that stands there", "region %s is not one of environment %s (%s)", c.Region, st.Env.Name, strings.Join(st.Env.AWS.Regions, ", "))
	}
	for _, n := range [][2]string{{"account alias", c.Alias}, {"environment name", st.Env.Name}} {
		if word, yes := NamesProduction(n[1]); yes {
			return refuse("production", "point the environment at a staging account", "%s %q names production (%s)", n[0], n[1], word)
		}
	}
	if c.Alias == "" && st.Env.Sandbox == nil {
		f.warning("the account has no alias, or it may not be read (iam:ListAccountAliases): only its number says that it is staging")
	}
	f.facts["account"], f.facts["region"] = c.Account, c.Region
	return nil
}
