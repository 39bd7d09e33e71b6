package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/config"
)

func (p *program) initCommand() *cli.Command {
	return &cli.Command{
		Name:  "init",
		Usage: "write a commented jstsync.yaml",
		Description: "Writes every key with its default and what it is for, readable by you alone.\n" +
			"Secrets are left to the environment. A file that exists is not touched.\n\n" +
			"Example: jstsync init && jstsync config check\n\n" +
			"Exit codes: 0 success, 1 the file exists or cannot be written, 64 wrong usage.",
		Action: p.init,
	}
}

func (p *program) init(c *cli.Context) error {
	if err := noArguments(c, "init"); err != nil {
		return err
	}
	name := config.FileName(c.String("config"), p.configHost())
	err := createFile(name, config.Template)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &diff.Error{Code: diff.CodeFailed, Message: name + " exists already", Remedy: "remove it, or name another file with --config"}
	case errors.Is(err, fs.ErrNotExist):
		return &diff.Error{Code: diff.CodeFailed, Message: fmt.Sprintf("write %s: there is no such directory", name), Remedy: "create it"}
	case err != nil:
		return &diff.Error{
			Code: diff.CodeFailed, Message: "write " + name, Err: err,
			Remedy: "name a file in a directory that this user may write to, with free space",
		}
	}
	_, err = fmt.Fprintln(p.stdout, p.lang.Sprintf("%s written; export JST_APP_KEY, JST_APP_SECRET and MYSQL_DSN, then run jstsync config check", name))
	return err
}

// createFile writes a new file for its owner's eyes only, or none at all.
func createFile(name, content string) error {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}
