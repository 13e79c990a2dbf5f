package tcss

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dogwatch/internal/cloudapi"
	"dogwatch/internal/registry"
	"dogwatch/internal/store"
)

func (a *actions) updateRegistry(ctx context.Context, caller cloudapi.Caller, req *updateRegistryRequest) (*registrySaved, error) {
	row, err := a.registryToUpdate(ctx, caller.AccountID, req)
	if err != nil {
		return nil, err
	}
	former := row.URL
	if err := req.fill(row); err != nil {
		return nil, err
	}
	password, err := a.passwordFor(row, req.Password)
	if err != nil {
		return nil, err
	}
	if masked(req.Password) && password != "" && !sameAddress(former, row.URL) {
		return &registrySaved{HealthCheckErr: newAddressText(caller)}, nil
	}
	named, err := a.registryNamed(ctx, caller.AccountID, row.Name)
	if err != nil {
		return nil, err
	}
	if named != nil && named.ID != row.ID {
		return nameTaken(caller), nil
	}
	if refused, err := a.tested(ctx, caller, row, password); refused != nil || err != nil {
		return refused, err
	}
	row.UpdatedAt = store.At(a.Clock.Now())
	err = a.Store.UpdateRegistry(ctx, row)
	if errors.Is(err, store.ErrTaken) {
		return nameTaken(caller), nil
	}
	if err != nil {
		return nil, notFoundAs(err, noRegistry(row.ID), "storing registry %d", row.ID)
	}
	return &registrySaved{RegistryId: row.ID}, nil
}

// registryToUpdate finds the registry by id or, without one, by name.
func (a *actions) registryToUpdate(ctx context.Context, accountID int64, req *updateRegistryRequest) (*store.Registry, error) {
	if req.RegistryId != nil {
		return a.ownRegistry(ctx, accountID, *req.RegistryId)
	}
	row, err := a.registryNamed(ctx, accountID, req.Name)
	if err == nil && row == nil {
		return nil, noRegistry(req.Name)
	}
	return row, err
}

// masked tells whether a password stands for the one stored.
func masked(given string) bool { return strings.Trim(given, "*") == "" }

// sameAddress tells whether two URLs, in whichever spelling, reach the same place.
func sameAddress(a, b string) bool {
	here, err := registry.ParseURL(a)
	if err != nil {
		return a == b
	}
	there, err := registry.ParseURL(b)
	return err == nil && here == there
}

// newAddressText refuses to send the stored password to another address: whoever
// may edit a registry could read it there.
func newAddressText(caller cloudapi.Caller) string {
	if caller.Language == "zh-CN" {
		return "仓库地址已更改，请重新输入密码"
	}
	return "the address has changed: give the password again"
}

// passwordFor is the password that a registry is to have. A new one is sealed
// into the row; an empty or masked one stands for the password stored.
func (a *actions) passwordFor(row *store.Registry, given string) (string, error) {
	if masked(given) {
		plain, err := a.Sealer.Open(row.SealedPassword, row.PasswordContext())
		if err != nil {
			return "", fmt.Errorf("tcss: opening the password of registry %d: %w", row.ID, err)
		}
		return string(plain), nil
	}
	sealed, err := a.Sealer.Seal([]byte(given), row.PasswordContext())
	if err != nil {
		return "", fmt.Errorf("tcss: sealing the password of registry %d: %w", row.ID, err)
	}
	row.SealedPassword = sealed
	return given, nil
}

// ownRegistry is a registry of the account.
func (a *actions) ownRegistry(ctx context.Context, accountID, id int64) (*store.Registry, error) {
	row, err := a.Store.Registry(ctx, accountID, id)
	if err != nil {
		return nil, notFoundAs(err, noRegistry(id), "reading registry %d", id)
	}
	return row, nil
}
