package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"dogwatch/internal/app"
)

// dataFlag is the data directory of the commands that work on one.
type dataFlag struct {
	Data string `help:"Data directory." default:"./dogwatch-data" env:"DOGWATCH_DATA" type:"path"`
}

// with opens the installation for one piece of work.
func (d dataFlag) with(ctx context.Context, work func(*app.Installation) error) error {
	in, err := app.OpenInstallation(ctx, d.Data)
	if err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // the work has been committed or has failed
	return work(in)
}

type keyCmd struct {
	Create  keyCreateCmd  `cmd:"" help:"Make an access key and print it once."`
	List    keyListCmd    `cmd:"" help:"List access keys without their secrets."`
	Disable keyDisableCmd `cmd:"" help:"Disable an access key at once."`
}

type keyCreateCmd struct {
	dataFlag
	Account string `help:"Account; made if it does not exist." default:"default"`
	Role    string `help:"What the key may do." enum:"administrator,operator,read-only" default:"administrator"`
	Note    string `help:"What the key is for."`
}

// Run makes a key.
func (c *keyCreateCmd) Run(ctx context.Context, p process) error {
	return c.with(ctx, func(in *app.Installation) error {
		if err := in.EnsureAccount(ctx, c.Account); err != nil {
			return err
		}
		id, key, err := in.Accounts.CreateKey(ctx, c.Account, c.Role, c.Note)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(p.out, "SecretId:  %s\nSecretKey: %s\n", id, key)
		return err
	})
}

type keyListCmd struct {
	dataFlag
	Account string `help:"Account." default:"default"`
}

// Run lists keys.
func (c *keyListCmd) Run(ctx context.Context, p process) error {
	return c.with(ctx, func(in *app.Installation) error {
		keys, err := in.Accounts.ListKeys(ctx, c.Account)
		if err != nil {
			return err
		}
		table := tabwriter.NewWriter(p.out, 2, 4, 2, ' ', 0)
		fmt.Fprintln(table, "SECRET ID\tROLE\tSTATE\tCREATED\tNOTE") //nolint:errcheck // reported by Flush
		for _, k := range keys {
			state := "enabled"
			if k.Disabled {
				state = "disabled"
			}
			fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", k.SecretID, k.Role, state, k.CreatedAt.Time().Format(time.RFC3339), k.Note) //nolint:errcheck // reported by Flush
		}
		return table.Flush()
	})
}

type keyDisableCmd struct {
	dataFlag
	Account  string `help:"Account the key belongs to." default:"default"`
	SecretID string `arg:"" help:"SecretId of the key."`
}

// Run disables a key.
func (c *keyDisableCmd) Run(ctx context.Context, p process) error {
	return c.with(ctx, func(in *app.Installation) error {
		if err := in.Accounts.DisableKey(ctx, c.Account, c.SecretID); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.out, "disabled %s\n", c.SecretID)
		return err
	})
}
