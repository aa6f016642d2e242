package drills

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/firedrill/firedrill/inject"
)

// KnownKinds tells the reader about the kinds of a catalog: inject.NewCatalog(nil, …) does, no account is needed.
func KnownKinds(catalog inject.Catalog) Kinds {
	kinds := Kinds{}
	for name, kind := range catalog {
		kinds[name] = KindOf{
			Params: func() any { return inject.ParamsOf(name) },
			Check: func(params json.RawMessage) error {
				_, err := kind.New(params)
				return err
			},
		}
	}
	return kinds
}

// refusal tells what a kind has against its parameters.
func (r *reader) refusal(p pair, err error) {
	var no *inject.Refusal
	switch {
	case errors.As(err, &no):
		r.wrong(p.value.at, no.Try, "%s: %s", p.key, strings.TrimPrefix(no.Why, p.key+" "))
	case err != nil:
		r.wrong(p.value.at, "", "%s: %s", p.key, err)
	}
}
