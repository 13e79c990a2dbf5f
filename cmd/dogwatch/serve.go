package main

import (
	"context"
	"os"

	"github.com/alecthomas/kong"

	"dogwatch/internal/app"
)

type serveCmd struct {
	app.Config `embed:""`
	File       kong.ConfigFlag `name:"config" help:"YAML file with flags as keys." type:"path"`
}

// Run serves until the process is told to stop.
func (c *serveCmd) Run(ctx context.Context, p process) error {
	running, err := app.Start(ctx, c.Config, app.Options{
		Log: p.err, Out: p.out,
		SecretID: os.Getenv("DOGWATCH_SECRET_ID"), SecretKey: os.Getenv("DOGWATCH_SECRET_KEY"),
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return running.Stop(ctx)
}
