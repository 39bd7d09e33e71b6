package main

import (
	"fmt"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/sandbox"
)

func (p *program) sandboxCommand() *cli.Command {
	return &cli.Command{
		Name:  "sandbox",
		Usage: "a local Jushuitan to try it against",
		Description: "Serves seeded shops with the vendor's quirks until it is stopped. Shops are\n" +
			"edited over http://ADDR/_control/, from this machine only.\n\n" +
			"Example: jstsync sandbox --shops 1204 --seed 7\n\n" +
			"Exit codes: 0 stopped, 1 failed, 64 wrong usage.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "listen", Value: "127.0.0.1:8419", Usage: "serve on `ADDR`"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "make the shops from the number `N`"},
			&cli.IntFlag{Name: "shops", Value: 30, Usage: "begin with `N` shops"},
			&cli.StringFlag{Name: "app-key", Value: "sandbox-key", Usage: "serve the app `KEY`"},
			&cli.Int64Flag{Name: "first-id", Usage: "give the first shop the number `ID`, as for a second merchant"},
		},
		Action: p.sandbox,
	}
}

func (p *program) sandbox(c *cli.Context) error {
	if c.Args().Present() {
		return usage("sandbox takes no argument %q", c.Args().First())
	}
	if c.Int("shops") < 0 {
		return usage("--shops %d is negative", c.Int("shops"))
	}
	if c.Int64("first-id") < 0 {
		return usage("--first-id %d is negative", c.Int64("first-id"))
	}
	server := sandbox.New(sandbox.Options{
		Seed: c.Uint64("seed"), Shops: c.Int("shops"), AppKey: c.String("app-key"), FirstID: c.Int64("first-id"),
	})
	url, shut, err := sandbox.Listen(c.String("listen"), server)
	if err != nil {
		return &diff.Error{Code: diff.CodeFailed, Message: "start the sandbox", Err: err, Remedy: "choose another --listen HOST:PORT"}
	}
	_, err = fmt.Fprintf(p.stdout, "# %s\n"+
		"export JST_BASE_URL=%s\nexport JST_APP_KEY=%s\nexport JST_APP_SECRET=sandbox-secret\nexport JST_ACCESS_TOKEN=sandbox-token\n",
		p.lang.Sprintf("a local Jushuitan with %d shops; stop it with Ctrl-C", c.Int("shops")), url, c.String("app-key"))
	if err != nil {
		return err
	}
	<-c.Done()
	return shut()
}
