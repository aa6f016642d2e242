package journal

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Take is Store's.
func (s *SQLite) Take(ctx context.Context, name, run string, h Holder, ttl time.Duration, now time.Time) (Lease, error) { //nolint:revive // a claim, spelled out by the contract
	var l Lease
	err := s.write(ctx, func(tx *sql.Tx) error {
		o, err := readOffice(ctx, tx, name)
		if err != nil {
			return err
		}
		l, err = take(o, claim{Name: name, Run: run, Holder: h, TTL: ttl, Now: now}, s.Alive)
		if err != nil {
			return err
		}
		return writeOffice(ctx, tx, office{Lease: l})
	})
	if err != nil {
		return Lease{}, s.fail("lease in", err)
	}
	return l, nil
}

// Renew is Store's.
func (s *SQLite) Renew(ctx context.Context, l Lease, ttl time.Duration, now time.Time) (Lease, error) {
	renewed := l
	err := s.together(ctx, false, func(ctx context.Context, x writer) error {
		o, err := readOffice(ctx, x, l.Name)
		if err != nil {
			return err
		}
		if !o.owns(l) {
			return ErrStale
		}
		renewed = o.Lease
		renewed.Expires = micros(now.Add(ttl))
		return writeOffice(ctx, x, office{Lease: renewed})
	})
	if err != nil {
		return Lease{}, s.fail("lease in", err)
	}
	return renewed, nil
}

// Release is Store's.
func (s *SQLite) Release(ctx context.Context, l Lease) error {
	err := s.write(ctx, func(tx *sql.Tx) error {
		o, err := readOffice(ctx, tx, l.Name)
		if err != nil || !o.owns(l) {
			return err
		}
		o.Free = true
		return writeOffice(ctx, tx, *o)
	})
	return s.fail("lease in", err)
}

// Held is Store's.
func (s *SQLite) Held(ctx context.Context, run string) ([]Lease, error) {
	var out []Lease
	err := s.each(ctx, func(rows *sql.Rows) error {
		o, err := scanOffice(rows)
		out = append(out, o.Lease)
		return err
	}, selectLeases+" where not free and ?1 in ('', run) order by name", run)
	if err != nil {
		return nil, err
	}
	return out, nil
}

const selectLeases = "select name, run, gen, holder, expires, free from leases"

// readOffice returns nil where nobody ever had the lease.
func readOffice(ctx context.Context, tx querier, name string) (*office, error) {
	o, err := scanOffice(tx.QueryRowContext(ctx, selectLeases+" where name = ?", name))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &o, err
}

func scanOffice(row interface{ Scan(...any) error }) (office, error) {
	var o office
	var holder []byte
	var expires int64
	if err := row.Scan(&o.Name, &o.Run, &o.Gen, &holder, &expires, &o.Free); err != nil {
		return office{}, err
	}
	if err := json.Unmarshal(holder, &o.Holder); err != nil {
		return office{}, fmt.Errorf("read holder of %s: %w", o.Name, err)
	}
	o.Expires = time.UnixMicro(expires).UTC()
	return o, nil
}

func writeOffice(ctx context.Context, tx execer, o office) error {
	holder, err := json.Marshal(o.Holder)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "replace into leases (name, run, gen, holder, expires, free) values (?, ?, ?, ?, ?, ?)",
		o.Name, o.Run, o.Gen, string(holder), o.Expires.UnixMicro(), o.Free)
	return err
}
