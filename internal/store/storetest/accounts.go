package storetest

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"dogwatch/internal/store"

	"github.com/google/go-cmp/cmp"
)

// jobs is a queue that writes its jobs' kinds into a table.
type jobs struct{}

type scanJob struct{}

func (scanJob) Kind() string { return "scan" }

func (jobs) InsertTx(ctx context.Context, tx *sql.Tx, list ...store.Job) error {
	for _, j := range list {
		if _, err := tx.ExecContext(ctx, "INSERT INTO test_job (kind) VALUES ('"+j.Args.Kind()+"')"); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) bindJobs(t *testing.T) {
	t.Helper()
	_, err := w.SQL().ExecContext(w.ctx, "CREATE TABLE test_job (kind TEXT)")
	must(t, err)
	w.BindQueue(jobs{})
}

func (w *world) jobs(t *testing.T) (n int) {
	t.Helper()
	must(t, w.SQL().QueryRowContext(w.ctx, "SELECT COUNT(*) FROM test_job").Scan(&n))
	return n
}

var transactionTests = map[string]func(t *testing.T, w *world){
	"commit keeps rows and jobs": func(t *testing.T, w *world) {
		w.bindJobs(t)
		must(t, w.Tx(w.ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
			if err := db.CreateAccount(ctx, &store.Account{Name: "new"}); err != nil {
				return err
			}
			return enqueue(ctx, store.Job{Args: scanJob{}}, store.Job{Args: scanJob{}})
		}))
		if _, err := w.AccountByName(w.ctx, "new"); err != nil || w.jobs(t) != 2 {
			t.Errorf("account: %v; jobs: %d, want 2", err, w.jobs(t))
		}
	},
	"failure leaves neither rows nor jobs": func(t *testing.T, w *world) {
		w.bindJobs(t)
		boom := errors.New("boom")
		err := w.Tx(w.ctx, func(ctx context.Context, db *store.DB, enqueue store.Enqueue) error {
			must(t, db.CreateAccount(ctx, &store.Account{Name: "new"}))
			must(t, enqueue(ctx, store.Job{Args: scanJob{}}))
			return boom
		})
		wantErr(t, err, boom, "transaction")
		_, err = w.AccountByName(w.ctx, "new")
		wantErr(t, err, store.ErrNotFound, "account after the failure")
		if n := w.jobs(t); n != 0 {
			t.Errorf("%d jobs after the failure", n)
		}
	},
	"methods of several statements join the transaction": func(t *testing.T, w *world) {
		i := sample(w.mine, "app", "1")
		boom := errors.New("boom")
		err := w.Tx(w.ctx, func(ctx context.Context, db *store.DB, _ store.Enqueue) error {
			_, err := db.UpsertImage(ctx, i)
			must(t, err)
			return boom
		})
		wantErr(t, err, boom, "transaction")
		if n, err := w.CountImages(w.ctx, store.ImageQuery{AccountID: w.mine.account}); n != 0 || err != nil {
			t.Errorf("%d images after the failure (%v)", n, err)
		}
	},
	"a job without a queue is an error": func(t *testing.T, w *world) {
		err := w.Tx(w.ctx, func(ctx context.Context, _ *store.DB, enqueue store.Enqueue) error {
			return enqueue(ctx, store.Job{Args: scanJob{}})
		})
		if err == nil {
			t.Error("the job was swallowed")
		}
	},
}

var accountTests = map[string]func(t *testing.T, w *world){
	"account comes back whole": func(t *testing.T, w *world) {
		a := &store.Account{
			Name: "whole", CreatedAt: 1, LicenceCap: 2, QuotaTenths: 3, FirstPrice: 10, AgainPrice: 1, SyncMinute: -1, SyncedDay: "2026-01-02",
		}
		must(t, w.CreateAccount(w.ctx, a))
		a.QuotaTenths = 30
		must(t, w.UpdateAccount(w.ctx, a))
		got, err := w.Account(w.ctx, a.ID)
		must(t, err)
		if diff := cmp.Diff(a, got); diff != "" {
			t.Errorf("account changed on its way (-want +got):\n%s", diff)
		}
		list, err := w.Accounts(w.ctx)
		if err != nil || len(list) != 3 {
			t.Errorf("%d accounts (%v), want 3", len(list), err)
		}
	},
	"names and keys are unique": func(t *testing.T, w *world) {
		wantErr(t, w.CreateAccount(w.ctx, &store.Account{Name: "mine"}), store.ErrTaken, "account name")
		must(t, w.InsertKey(w.ctx, &store.AccessKey{AccountID: 1, SecretID: "AKID1"}))
		wantErr(t, w.InsertKey(w.ctx, &store.AccessKey{AccountID: 2, SecretID: "AKID1"}), store.ErrTaken, "SecretID")
		must(t, w.InsertUser(w.ctx, &store.User{AccountID: 1, Name: "ann"}))
		wantErr(t, w.InsertUser(w.ctx, &store.User{AccountID: 2, Name: "ann"}), store.ErrTaken, "user name")
	},
	"keys switch off and on": func(t *testing.T, w *world) {
		k := &store.AccessKey{AccountID: w.mine.account, SecretID: "AKID1", SealedSecret: []byte{0, 1, 255}, Role: "operator", Note: "n", CreatedAt: 5}
		must(t, w.InsertKey(w.ctx, k))
		must(t, w.SetKeyDisabled(w.ctx, "AKID1", true))
		k.Disabled = true
		got, err := w.KeyBySecretID(w.ctx, "AKID1")
		must(t, err)
		if diff := cmp.Diff(k, got); diff != "" {
			t.Errorf("key (-want +got):\n%s", diff)
		}
		must(t, w.SetKeyDisabled(w.ctx, "AKID1", false))
		wantErr(t, w.SetKeyDisabled(w.ctx, "AKID2", true), store.ErrNotFound, "unknown key")
		_, err = w.KeyBySecretID(w.ctx, "AKID2")
		wantErr(t, err, store.ErrNotFound, "unknown key")
	},
	"users change their password": func(t *testing.T, w *world) {
		u := &store.User{AccountID: w.mine.account, Name: "ann", PasswordHash: "a", Role: "operator", CreatedAt: 5}
		must(t, w.InsertUser(w.ctx, u))
		must(t, w.SetUserPassword(w.ctx, "ann", "b"))
		must(t, w.SetUserDisabled(w.ctx, "ann", true))
		u.PasswordHash, u.Disabled = "b", true
		got, err := w.UserByName(w.ctx, "ann")
		must(t, err)
		if diff := cmp.Diff(u, got); diff != "" {
			t.Errorf("user (-want +got):\n%s", diff)
		}
		wantErr(t, w.SetUserPassword(w.ctx, "bob", "c"), store.ErrNotFound, "unknown user")
	},
	"names are data, whatever they hold": func(t *testing.T, w *world) {
		for _, name := range []string{`O'Brien"; DROP TABLE account; --`, `a?b`, `\`, "%", "中文", "\x00"} {
			if name != "\x00" {
				must(t, w.CreateAccount(w.ctx, &store.Account{Name: name}))
			}
			got, err := w.AccountByName(w.ctx, name)
			if name == "\x00" {
				wantErr(t, err, store.ErrNotFound, "NUL")
				continue
			}
			must(t, err)
			if got.Name != name {
				t.Errorf("stored %q, read %q", name, got.Name)
			}
		}
	},
}
