package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/term"

	"dogwatch/internal/app"
)

type userCmd struct {
	Create userCreateCmd `cmd:"" help:"Make a console user; the password is read from standard input."`
	Passwd userPasswdCmd `cmd:"" help:"Set a user's password, read from standard input."`
}

type userCreateCmd struct {
	dataFlag
	Account string `help:"Account; made if it does not exist." default:"default"`
	Role    string `help:"What the user may do." enum:"administrator,operator,read-only" default:"read-only"`
	Name    string `arg:"" help:"Name of the user."`
}

// Run makes a user.
func (c *userCreateCmd) Run(ctx context.Context, p process) error {
	password, err := readPassword(p)
	if err != nil {
		return err
	}
	return c.with(ctx, func(in *app.Installation) error {
		if err := in.EnsureAccount(ctx, c.Account); err != nil {
			return err
		}
		if err := in.Accounts.CreateUser(ctx, c.Account, c.Name, c.Role, password); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.out, "created %s (%s) in account %s\n", c.Name, c.Role, c.Account)
		return err
	})
}

type userPasswdCmd struct {
	dataFlag
	Name string `arg:"" help:"Name of the user."`
}

// Run sets a password.
func (c *userPasswdCmd) Run(ctx context.Context, p process) error {
	password, err := readPassword(p)
	if err != nil {
		return err
	}
	return c.with(ctx, func(in *app.Installation) error {
		if err := in.Accounts.SetPassword(ctx, c.Name, password); err != nil {
			return err
		}
		_, err := fmt.Fprintf(p.out, "password of %s set\n", c.Name)
		return err
	})
}

// readPassword reads one line, without echo on a terminal. A password is never
// an argument: arguments are visible to every process of the machine.
func readPassword(p process) (string, error) {
	if f, ok := p.in.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		fmt.Fprint(p.err, "Password: ") //nolint:errcheck // the prompt is a courtesy
		password, err := term.ReadPassword(int(f.Fd()))
		fmt.Fprintln(p.err) //nolint:errcheck // the prompt is a courtesy
		if err != nil {
			return "", fmt.Errorf("reading the password: %w", err)
		}
		return string(password), nil
	}
	line, err := bufio.NewReader(io.LimitReader(p.in, 4096)).ReadString('\n')
	if err != nil && line == "" {
		return "", fmt.Errorf("reading the password from standard input: %w", err)
	}
	return strings.TrimRight(line, "\r\n"), nil
}
