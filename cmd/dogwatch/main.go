// Command dogwatch is scheduled security scanning for container registries.
//
// It only reads flags and starts what the rooms below internal do.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"

	"dogwatch/internal/demo"
)

// Exit codes; docs/operate.md lists them.
const (
	exitOK         = 0
	exitFailed     = 1 // the command could not do its work
	exitUsage      = 2 // wrong flags or arguments
	exitUnexpected = 3 // demo --once: the findings are not the expected ones
)

// cli is every command of the program.
type cli struct {
	Serve      serveCmd      `cmd:"" help:"API, scheduler and workers in one process."`
	Advisories advisoriesCmd `cmd:"" help:"Vulnerability data: import, pull, status."`
	Key        keyCmd        `cmd:"" help:"Access keys: create, list, disable."`
	User       userCmd       `cmd:"" help:"Console users: create, passwd."`
	Account    accountCmd    `cmd:"" help:"Accounts: list, set limits."`
	Call       callCmd       `cmd:"" help:"A signed API call, like the TCCLI."`
	Demo       demoCmd       `cmd:"" help:"The main job on sample images: a registry, a schedule, the findings."`
	Version    versionCmd    `cmd:"" help:"Print the version."`
}

// process is what a command gets from its surroundings.
type process struct {
	in       io.Reader
	out, err io.Writer
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], process{in: os.Stdin, out: os.Stdout, err: os.Stderr})
	stop()
	os.Exit(code)
}

// run is main without the process around it.
func run(ctx context.Context, args []string, p process) int {
	var c cli
	exited := -1
	parser, err := kong.New(&c,
		kong.Name("dogwatch"),
		kong.Description("Scheduled security scanning for container registries, in the hours it is given."),
		kong.Configuration(yamlLoader),
		kong.Writers(p.out, p.err),
		kong.Exit(func(code int) { exited = code }),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true}),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(p),
	)
	if err != nil {
		fmt.Fprintf(p.err, "dogwatch: %v\n", err) //nolint:errcheck // nowhere else to say it
		return exitFailed
	}
	command, err := parser.Parse(args)
	if exited >= 0 { // --help
		return exited
	}
	if err != nil {
		fmt.Fprintf(p.err, "dogwatch: %v; see dogwatch --help\n", err) //nolint:errcheck // nowhere else to say it
		return exitUsage
	}
	return exitCode(command.Run(), p.err)
}

// exitCode maps the kinds of failure to exit codes and says what went wrong.
func exitCode(err error, w io.Writer) int {
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(w, "dogwatch: %v\n", err) //nolint:errcheck // nowhere else to say it
	if errors.Is(err, demo.ErrUnexpected) {
		return exitUnexpected
	}
	return exitFailed
}
