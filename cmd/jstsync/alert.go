package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/urfave/cli/v2"

	"jstsync/diff"
	"jstsync/internal/alert"
	"jstsync/internal/config"
	"jstsync/internal/lang"
	"jstsync/state"
)

const alertCodes = "Exit codes: 0 sent to every channel, 1 to some not, 64 wrong usage, 78\nconfiguration error, or no channel is configured."

func (p *program) alertCommand() *cli.Command {
	format := formatFlag("text or json")
	return &cli.Command{
		Name:  "alert",
		Usage: "try the channels of alerts out, or send a digest of changes",
		Description: "Channels are set under alerts.channels. serve and sync tell them by themselves\n" +
			"when something begins to be wrong and when it is right again.\n\n" +
			"Example: jstsync alert test\n\n" + alertCodes,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("alert has no command %q", c.Args().First())
			}
			return usage("alert takes test or digest")
		},
		Subcommands: []*cli.Command{
			{
				Name: "test", Usage: "send a test message to every channel",
				Description: "Example: jstsync alert test --format json\n\n" + alertCodes,
				Flags:       []cli.Flag{format}, Action: p.alertTest,
			},
			{
				Name: "digest", Usage: "send what changed to every channel",
				Description: "As many changes as a message holds, the newest first; the rest is counted. When\n" +
					"nothing changed nothing is sent. X is understood as by jstsync changes.\n\n" +
					"Example: jstsync alert digest --since \"7 days ago\"\n\n" + alertCodes,
				Flags: []cli.Flag{
					pipelineFlag(), &cli.StringFlag{Name: "since", Value: "24 hours ago", Usage: "changes from run, or time, `X` on"}, format,
				},
				Action: p.alertDigest,
			},
		},
	}
}

// alertSettings reads the settings of the channels, of which there must be some.
func (p *program) alertSettings(c *cli.Context, verb string, needs ...config.Need) (*config.Settings, error) {
	if err := noArguments(c, verb); err != nil {
		return nil, err
	}
	if f := c.String("format"); f != "text" && f != "json" {
		return nil, usage("--format %q is neither text nor json", f)
	}
	settings, err := p.settings(c, append(needs, config.NeedAlerts)...)
	if err == nil && len(settings.Alerts.Channels) == 0 {
		err = &diff.Error{
			Code: diff.CodeConfig, Message: "no channel is configured",
			Remedy: "add one under alerts.channels, such as {name: ops, kind: dingtalk, url: …, secret: …}",
		}
	}
	return settings, err
}

func (p *program) alertTest(c *cli.Context) error {
	settings, err := p.alertSettings(c, "alert test")
	if err != nil {
		return err
	}
	return p.sendAll(c, settings, p.message(settings, []alert.Notice{{Kind: alert.Test, Subject: "jstsync", At: p.now()}}))
}

// sendAll sends a message to every channel and prints how that went.
func (p *program) sendAll(c *cli.Context, settings *config.Settings, m *alert.Message) error {
	failed := 0
	for _, channel := range channelsOf(settings) {
		ctx, cancel := context.WithTimeout(c.Context, time.Minute)
		err := p.sender(settings).Send(ctx, channel, m)
		cancel()
		if err != nil {
			failed++
		}
		if err := p.sent(c, channel, err); err != nil {
			return err
		}
	}
	if failed > 0 {
		p.status.add(exitFailed)
	}
	return nil
}

// sent prints whether a channel took a message.
func (p *program) sent(c *cli.Context, channel *alert.Channel, failure error) error {
	if c.String("format") == "json" {
		line := struct {
			Channel string         `json:"channel"`
			Kind    string         `json:"kind"`
			OK      bool           `json:"ok"`
			Error   map[string]any `json:"error,omitempty"`
		}{Channel: channel.Name, Kind: channel.Kind, OK: failure == nil}
		if failure != nil {
			line.Error = map[string]any{"code": diff.CodeOf(failure), "message": failure.Error(), "remedy": remedyOf(failure)}
		}
		return json.NewEncoder(p.stdout).Encode(line)
	}
	if failure != nil {
		p.explain(failure)
		return nil
	}
	_, err := fmt.Fprintln(p.stdout, p.lang.Sprintf("%s (%s): sent", channel.Name, channel.Kind))
	return err
}

// digestChanges is how many changes a digest is made of at most; robots take
// fewer.
const digestChanges = 200

func (p *program) alertDigest(c *cli.Context) error {
	settings, err := p.alertSettings(c, "alert digest", config.NeedState)
	if err != nil {
		return err
	}
	pl, err := onePipeline(c, settings)
	if err != nil {
		return err
	}
	w, err := parseWhen("since", c.String("since"), p.now(), false)
	if err != nil {
		return err
	}
	l, since := lang.Language(settings.Serve.Language), w.at.In(p.zone(settings)).Format("2006-01-02 15:04")
	if w.run != 0 {
		since = l.Sprintf("run %d", w.run)
	}
	mapper, err := mapperOf(pl)
	if err != nil {
		return err
	}
	name := ""
	if i := mapper.ColumnOf("shop_name"); i >= 0 {
		name = mapper.Table().Names()[i]
	}
	var changes []alert.Change
	total := 0
	err = state.NewReader(settings.State, pl.Name).Changes(state.Query{Since: w.at, FromRun: w.run}, func(v diff.Version) error {
		if total++; total <= digestChanges {
			changes = append(changes, digestOf(&v, name))
		}
		return nil
	})
	if err != nil {
		return err
	}
	switch {
	case total == 0 && c.String("format") == "json": // there is no channel to tell of
		return nil
	case total == 0:
		_, err := fmt.Fprintln(p.stdout, p.lang.Sprintf("nothing changed since %s; nothing was sent", since))
		return err
	}
	return p.sendAll(c, settings, alert.NewDigest(pl.Name, since, p.now(), changes, total, l))
}

// digestOf puts a change into words; name is the column that names a record.
func digestOf(v *diff.Version, name string) alert.Change {
	c := alert.Change{Op: v.Change.Op.String(), Key: v.Change.Key.String()}
	before, after := v.Change.Before, v.Change.After
	row := after
	if row == nil {
		row = before
	}
	for i, column := range v.Commit.Columns {
		if column == name && i < len(row) && !row[i].IsNull() {
			c.Name = row[i].String()
		}
		if v.Change.Op == diff.Update && i < len(before) && i < len(after) && before[i] != after[i] {
			c.Fields = append(c.Fields, fmt.Sprintf("%s: %s → %s", column, before[i], after[i]))
		}
	}
	return c
}
