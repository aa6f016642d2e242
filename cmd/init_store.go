package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/internal/journal"
)

// tableTime bounds the making of a table: AWS takes some ten seconds.
const tableTime = 5 * time.Minute

// initShared makes the table for an environment that stands in a file already. The file is a person's: what belongs into
// it is told, not written.
func initShared(ctx context.Context, d *Deps, f *drills.File, e environmentDraft) error {
	name, err := d.environmentName(f)
	if err != nil {
		return err
	}
	env, ok := f.Environments[name]
	if !ok {
		return unknownEnvironment(f, name)
	}
	told := env.Store.Kind == "dynamodb"
	if !told {
		env.Store = drills.StoreSpec{Kind: "dynamodb", Table: e.Table, Region: env.AWS.Regions[0]}
	}
	if len(e.Regions) > 0 {
		env.Store.Region = e.Regions[0]
	}
	arn, err := d.makeTable(ctx, &env)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.Out, arn)
	if !told {
		fmt.Fprintf(d.Err, "Try next: write into environment %s of %s:\n    store: %s\n", name, d.short(f.Source), storeYAML(env.Store))
	}
	return nil
}

// storeYAML is the store as the environment file spells it.
func storeYAML(s drills.StoreSpec) string {
	return fmt.Sprintf("{dynamodb: {table: %s, region: %s}}", s.Table, s.Region)
}

// makeTable makes the table of an environment's store, in the account that is meant and in no other, and says what it
// did and what that costs.
func (d *Deps) makeTable(ctx context.Context, env *drills.Environment) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, tableTime)
	defer cancel()
	clients, err := d.tableClients(ctx, env, "init")
	if err != nil {
		return "", err
	}
	caller, err := clients.Identity(ctx)
	if err != nil {
		return "", &hinted{fmt.Errorf("make table %s: %w", env.Store.Table, err), "use the credentials of account " + env.AWS.Account}
	}
	for _, n := range []string{caller.Alias, env.Name} {
		if word, yes := drills.NamesProduction(n); yes {
			return "", &hinted{fmt.Errorf("make table %s: %q names production (%s)", env.Store.Table, n, word), "a staging account"}
		}
	}
	fmt.Fprintf(d.Err, "table %s in %s of account %s: looking, and making it where it is not\n", env.Store.Table, env.Store.Region, caller.Account)
	made, err := journal.CreateDynamoDB(ctx, journal.TableOptions{Client: database(clients), Table: env.Store.Table})
	if err != nil {
		var told *journal.Error
		if errors.As(err, &told) && told.Try != "" {
			return "", err
		}
		return "", &hinted{err, "again: it goes on where it has stopped"}
	}
	d.tellTable(made)
	return made.ARN, nil
}

func (d *Deps) tellTable(t journal.Table) {
	switch {
	case t.Made:
		fmt.Fprintln(d.Err, "made: billed by the request, protected against deletion, recoverable to any moment, tagged firedrill=journal")
	case len(t.Set) > 0:
		fmt.Fprintf(d.Err, "it was there; turned on: %s\n", strings.Join(t.Set, ", "))
	default:
		fmt.Fprintln(d.Err, "it was there, and is as it should be: nothing was changed")
	}
	for _, what := range t.Unset {
		fmt.Fprintf(d.Err, "firedrill: not turned on: %s. The journal works without\n", what)
	}
	fmt.Fprintln(d.Err, "it costs its storage, and while a drill is on some five requests a second: a few cents an hour at most (https://aws.amazon.com/dynamodb/pricing/on-demand/)")
}
