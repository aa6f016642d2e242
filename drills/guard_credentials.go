package drills

import (
	"context"
	"time"
)

// credentialsMargin is how much longer than a run credentials must last: the undo's last call is made in time too.
const credentialsMargin = time.Minute

// checkCredentials: whoever changes something must still be able to put it back.
func (st *Steps) checkCredentials(ctx context.Context, p *Plan, f *found) *Refusal {
	if st.World.Credentials == nil || st.Env.Sandbox != nil {
		return nil
	}
	c, err := st.World.Credentials(ctx)
	if err != nil {
		return refuse("credentials", "log in, then: aws sts get-caller-identity", "%v", err)
	}
	end := st.World.Clock.Now().Add(p.Limit + p.undoTime() + credentialsMargin)
	told, no := c.Until(end)
	if no != nil {
		return no
	}
	f.facts["credentials"] = told
	return nil
}

// undoTime is the longest that putting back everything should take, one after the other.
func (p *Plan) undoTime() (d time.Duration) {
	for _, f := range p.Faults {
		d += f.Undo
	}
	return d
}

// Until says whether credentials serve until then, in words; a refusal where they may end before.
func (c Credentials) Until(end time.Time) (told string, no *Refusal) {
	const try = "aws: {oidc: github} in a CI job, a profile that renews (aws configure sso), or a longer session"
	switch {
	case c.Unknown:
		return "", refuse("credentials", "export AWS_CREDENTIAL_EXPIRATION with them (aws configure export-credentials --format env), or "+try,
			"nobody can tell when the session of %s ends, and putting back may take until %s", c.Source, instant(end))
	case c.Renews:
		return c.Source + ", renewed", nil
	case c.Expires.IsZero():
		return c.Source + ", without an end", nil
	case c.Expires.Before(end):
		return "", refuse("credentials", try, "the credentials of %s end at %s and do not renew, and putting back may take until %s",
			c.Source, instant(c.Expires), instant(end))
	}
	return c.Source + " until " + instant(c.Expires), nil
}

// instant is a time of day for people who read it today.
func instant(t time.Time) string { return t.UTC().Format("15:04 MST on 2 January") }
