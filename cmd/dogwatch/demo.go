package main

import (
	"context"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/term"

	"dogwatch/internal/app"
	"dogwatch/internal/demo"
)

type demoCmd struct {
	Once     bool   `help:"End after the findings; exit code 0 if they are the expected ones, 3 if not."`
	Data     string `help:"Data directory; empty: one that is removed at the end." type:"path"`
	Listen   string `help:"Address of the API." default:"127.0.0.1:8080"`
	Timezone string `help:"IANA zone of the schedule." default:"Asia/Shanghai"`
	Verbose  bool   `help:"Show the server's log."`
}

// Run shows the main job.
func (c *demoCmd) Run(ctx context.Context, p process) error {
	config := app.Config{
		Listen: c.Listen, Data: c.Data, Timezone: c.Timezone, RateLimit: 20,
		AllowPrivateRegistries: true, LogLevel: "info",
	}
	if config.Data != "" {
		config.Data = filepath.Clean(config.Data)
	}
	log := io.Discard
	if c.Verbose {
		log = p.err
	}
	out, isFile := p.out.(*os.File)
	return demo.Run(ctx, demo.Options{
		Config: config, Once: c.Once, Out: p.out, Log: log,
		Live: isFile && term.IsTerminal(int(out.Fd())),
	})
}
