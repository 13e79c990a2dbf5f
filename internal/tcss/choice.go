package tcss

import (
	"context"
	"fmt"

	"dogwatch/internal/store"
)

// Kinds of scope (reference E4).
const (
	scopeAll         = 0
	scopeSelected    = 1
	scopeRecommended = 2
)

// choice is which images a scan by scope takes, as the scheduled scan and the
// one-key scan put it.
type choice struct {
	scope         *uint64
	all           bool
	ids           []uint64
	images        []ImageInfo
	registryTypes []string
	namespaces    []string
	latest        bool
	running       bool
	exclude       []uint64
}

// kind is the scope that applies: the one given, else the one that the other
// parameters speak of.
func (c choice) kind() int {
	switch {
	case c.scope != nil:
		return int(*c.scope)
	case c.all:
		return scopeAll
	case len(c.ids) > 0 || len(c.images) > 0:
		return scopeSelected
	case len(c.registryTypes) > 0 || len(c.namespaces) > 0:
		return scopeRecommended
	}
	return scopeAll
}

// stored is the choice as the store keeps it. Selected images have to exist; a
// name that matches nothing is kept and matches nothing.
func (a *actions) stored(ctx context.Context, accountID int64, c choice) (store.Scope, error) {
	scope := store.Scope{
		Kind:             c.kind(),
		RegistryTypes:    c.registryTypes,
		Namespaces:       c.namespaces,
		Latest:           c.latest,
		ContainerRunning: c.running,
	}
	scope.ExcludeIDs, _ = rowIDs(c.exclude)
	if scope.Kind != scopeSelected {
		return scope, nil
	}
	ids, err := a.existing(ctx, accountID, c.ids)
	if err != nil {
		return store.Scope{}, err
	}
	scope.IDs, scope.Names = ids, names(c.images)
	return scope, nil
}

// existing are the list ids, all of which the account has to have.
func (a *actions) existing(ctx context.Context, accountID int64, ids []uint64) ([]int64, error) {
	rows, ok := rowIDs(ids)
	if !ok {
		return nil, noImage(tooLarge(ids))
	}
	missing, err := a.Store.MissingImages(ctx, accountID, rows)
	if err != nil {
		return nil, fmt.Errorf("tcss: looking for images: %w", err)
	}
	if len(missing) > 0 {
		return nil, noImage(missing[0])
	}
	return rows, nil
}

// tooLarge is the first number that cannot be an id.
func tooLarge(ids []uint64) uint64 {
	for _, id := range ids {
		if rows, _ := rowIDs([]uint64{id}); len(rows) == 0 {
			return id
		}
	}
	return 0
}

// parts are the parts of a scan a request asks for: all three if it names none.
func parts(scanTypes []string) store.Parts {
	var asked store.Parts
	for _, name := range scanTypes {
		part, _ := store.ParsePart(name) // the model admits no other name
		asked |= part
	}
	if asked == 0 {
		return store.AllParts
	}
	return asked
}
