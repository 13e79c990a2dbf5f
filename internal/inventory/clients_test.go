package inventory

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"dogwatch/internal/registry"
	"dogwatch/internal/seal"
	"dogwatch/internal/store"
)

func newBox(t *testing.T) *seal.Box {
	t.Helper()
	box, err := seal.New(bytes.Repeat([]byte{7}, 32))
	if err != nil {
		t.Fatal(err)
	}
	return box
}

func TestClientIsKeptUntilItsRowChanges(t *testing.T) {
	r := newRig(t)
	clients := NewClients(r.store, newBox(t), registry.Options{AllowPrivate: true})
	open := func() registry.Client {
		t.Helper()
		c, err := clients.Client(t.Context(), r.row.AccountID, r.row.ID)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first := open()
	if open() != first {
		t.Error("an unchanged registry got a second client")
	}
	if _, err := r.store.BeginSync(t.Context(), r.row.ID, store.At(noon)); err != nil {
		t.Fatal(err)
	}
	if open() != first {
		t.Error("a synchronisation cost the registry its client")
	}
	r.row.URL = "https://other.test"
	if err := r.store.UpdateRegistry(t.Context(), r.row); err != nil {
		t.Fatal(err)
	}
	second := open()
	if second == first || second.Host() != "other.test" {
		t.Errorf("after the change of the address: host %q", second.Host())
	}
	r.row.UpdatedAt = store.At(noon.Add(time.Hour))
	if err := r.store.UpdateRegistry(t.Context(), r.row); err != nil {
		t.Fatal(err)
	}
	if open() == second {
		t.Error("a newer row did not get a new client")
	}
}

func TestClientOfAnotherAccountOrNoneIsNotFound(t *testing.T) {
	r := newRig(t)
	clients := NewClients(r.store, newBox(t), registry.Options{})
	for _, id := range [][2]int64{{r.row.AccountID + 1, r.row.ID}, {r.row.AccountID, r.row.ID + 1}} {
		if _, err := clients.Client(t.Context(), id[0], id[1]); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("registry %d of account %d: %v, want ErrNotFound", id[1], id[0], err)
		}
	}
}

func TestTargetOpensThePassword(t *testing.T) {
	box := newBox(t)
	row := &store.Registry{AccountID: 3, Type: registry.TypeHarbor, URL: "https://h", Username: "robot", SpeedLimit: 5, Insecure: true, Version: "V2"}
	sealed, err := box.Seal([]byte("hunter2"), row.PasswordContext())
	if err != nil {
		t.Fatal(err)
	}
	row.SealedPassword = sealed
	target, err := Target(row, box)
	if err != nil {
		t.Fatal(err)
	}
	want(t, "target", registry.Target{
		Type: registry.TypeHarbor, URL: "https://h", Username: "robot", Password: "hunter2", SpeedLimit: 5, Insecure: true, Version: "V2",
	}, target)
	row.AccountID = 4 // a password moved to another account's row does not open
	if _, err := Target(row, box); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error = %v", err)
	}
}
