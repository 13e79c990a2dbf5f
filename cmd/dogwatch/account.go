package main

import (
	"context"
	"fmt"
	"strconv"
	"text/tabwriter"

	"dogwatch/internal/account"
	"dogwatch/internal/app"
	"dogwatch/internal/store"
)

type accountCmd struct {
	List accountListCmd `cmd:"" help:"List accounts with their limits."`
	Set  accountSetCmd  `cmd:"" help:"Set the limits of an account; what is left out stays."`
}

type accountListCmd struct{ dataFlag }

// Run lists accounts.
func (c *accountListCmd) Run(ctx context.Context, p process) error {
	return c.with(ctx, func(in *app.Installation) error {
		list, err := in.Accounts.List(ctx)
		if err != nil {
			return err
		}
		return printAccounts(p, list...)
	})
}

type accountSetCmd struct {
	dataFlag
	Name         string   `arg:"" help:"Account."`
	LicenceCap   *int64   `help:"Licensed images at most; 0: no cap."`
	MonthlyScans *float64 `help:"Scan quota of a month; 0: unlimited."`
	FirstPrice   *float64 `help:"Scans that the first scan of an image costs."`
	AgainPrice   *float64 `help:"Scans that a later scan of it costs."`
	SyncMinute   *int64   `help:"Minute after midnight of the nightly synchronisation, 0 to 179; -1: off."`
}

// Run sets limits.
func (c *accountSetCmd) Run(ctx context.Context, p process) error {
	return c.with(ctx, func(in *app.Installation) error {
		changed, err := in.Accounts.Configure(ctx, c.Name, account.Settings{
			LicenceCap: c.LicenceCap, MonthlyScans: c.MonthlyScans, FirstPrice: c.FirstPrice, AgainPrice: c.AgainPrice, SyncMinute: c.SyncMinute,
		})
		if err != nil {
			return err
		}
		return printAccounts(p, *changed)
	})
}

func printAccounts(p process, list ...store.Account) error {
	table := tabwriter.NewWriter(p.out, 2, 4, 2, ' ', 0)
	fmt.Fprintln(table, "ACCOUNT\tLICENCES\tSCANS A MONTH\tFIRST\tAGAIN\tNIGHTLY SYNC")
	for i := range list {
		a := &list[i]
		sync := "off"
		if a.SyncMinute >= 0 {
			sync = fmt.Sprintf("%d:%02d", a.SyncMinute/60, a.SyncMinute%60)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\n", a.Name, limit(a.LicenceCap, strconv.FormatInt(a.LicenceCap, 10)),
			limit(a.QuotaTenths, scans(a.QuotaTenths)), scans(a.FirstPrice), scans(a.AgainPrice), sync)
	}
	return table.Flush()
}

func limit(n int64, shown string) string {
	if n == 0 {
		return "unlimited"
	}
	return shown
}

func scans(tenths int64) string { return strconv.FormatFloat(float64(tenths)/10, 'f', -1, 64) }
