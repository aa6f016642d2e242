package cmd

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/firedrill/firedrill/drills"
	"github.com/firedrill/firedrill/inject"
	"github.com/firedrill/firedrill/internal/journal"
)

// lookPatience is how long a journal is tried that is only looked into: who looks is waiting.
const lookPatience = 4 * time.Second

// store opens the journals that may be meant, to read and to write. Whoever closes it has it.
func (d *Deps) store(ctx context.Context) (journal.Store, error) {
	path, err := d.journalPath()
	if err != nil {
		return nil, err
	}
	local, err := journal.OpenSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	all, err := d.join(ctx, local, false)
	return d.clear(all, err)
}

// reading opens them for who only looks: where there is none they read as empty, and nothing is made.
func (d *Deps) reading(ctx context.Context) (journal.Store, error) {
	path, err := d.journalPath()
	if err != nil {
		return nil, err
	}
	local, err := journal.ReadSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	return d.join(ctx, local, true)
}

// storeOf opens the one journal of an environment, for a run there.
func (d *Deps) storeOf(ctx context.Context, env *drills.Environment, run string) (journal.Store, error) {
	if env.Store.Kind == "dynamodb" {
		shared, err := d.shared(ctx, env, journal.DynamoDBOptions{}, run)
		return d.clear(shared, err)
	}
	path, err := d.journalPath()
	if err != nil {
		return nil, err
	}
	local, err := journal.OpenSQLite(ctx, path)
	return d.clear(local, err)
}

// clear is a journal that takes no secret in.
func (d *Deps) clear(store journal.Store, err error) (journal.Store, error) {
	if err != nil {
		return nil, err
	}
	return &clearStore{Store: store, secrecy: &d.known}, nil
}

// journalPath is this machine's own journal.
func (d *Deps) journalPath() (string, error) {
	dir, err := d.stateDir()
	return filepath.Join(dir, "firedrill.db"), err
}

// join puts the shared journals beside the one of this machine. With --env it is that environment's alone, else that of
// every environment in the file: a run is found wherever it is.
func (d *Deps) join(ctx context.Context, local journal.Store, readOnly bool) (journal.Store, error) {
	of, err := d.sharedStores(ctx, readOnly)
	if err != nil || len(of) == 0 {
		return local, err
	}
	stores := []journal.Store{local}
	for _, name := range slices.Sorted(maps.Keys(of)) {
		if !slices.Contains(stores, of[name]) {
			stores = append(stores, of[name])
		}
	}
	return journal.Join(func(run string) journal.Store {
		for name, s := range of {
			if run == journal.LeverRun(name) {
				return s
			}
		}
		return local
	}, stores...), nil
}

// sharedStores are the shared journals that may be meant, by the environments that keep theirs there. Where the file
// cannot be read, this machine's journal still can.
func (d *Deps) sharedStores(ctx context.Context, readOnly bool) (map[string]journal.Store, error) {
	f, err := d.file()
	if err != nil {
		fmt.Fprintf(d.Err, "%v\nfiredrill: going on with the journal of this machine alone\n", err)
		return nil, nil
	}
	only := d.environmentFilter()
	of, same := map[string]journal.Store{}, map[string]journal.Store{}
	for _, name := range slices.Sorted(maps.Keys(f.Environments)) {
		env := f.Environments[name]
		if env.Store.Kind != "dynamodb" || only != "" && name != only {
			continue
		}
		where := fmt.Sprintf("%s %s %s %s %s", env.AWS.Account, env.AWS.Role, env.AWS.Endpoint, env.Store.Region, env.Store.Table)
		if same[where] == nil {
			s, err := d.shared(ctx, &env, journal.DynamoDBOptions{ReadOnly: readOnly, Patience: lookPatience}, "journal")
			if err != nil {
				return nil, err
			}
			same[where] = s
		}
		of[name] = same[where]
	}
	return of, nil
}

// shared is an environment's journal in DynamoDB, read with the environment's own credentials. who is the run it is
// opened for, or another word for the role session.
func (d *Deps) shared(ctx context.Context, env *drills.Environment, o journal.DynamoDBOptions, who string) (journal.Store, error) {
	clients, err := d.tableClients(ctx, env, who)
	if err != nil {
		return nil, err
	}
	o.Client, o.Table = database(clients), env.Store.Table
	return journal.OpenDynamoDB(o)
}

// tableClients speak to the account of an environment in the region of its store; any other account is an error of
// their Identity.
func (d *Deps) tableClients(ctx context.Context, env *drills.Environment, who string) (*inject.Clients, error) {
	o := d.awsOptions(env, who)
	o.Region, o.ExpectAccount = env.Store.Region, env.AWS.Account
	if env.Sandbox != nil {
		o.AccessKey, o.Secret = env.Sandbox.KeyID, env.Sandbox.Secret
	}
	clients, err := inject.Open(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("open the journal of %s: %w", env.Name, err)
	}
	return clients, nil
}

// database is where an account's tables are: the shared journal is one of them.
func database(c *inject.Clients) *dynamodb.Client { return dynamodb.NewFromConfig(c.Config) }

// ci says that this machine serves one job: CI=true, as every build service sets it.
func (d *Deps) ci() bool {
	yes, _ := strconv.ParseBool(d.Getenv("CI"))
	return yes
}
