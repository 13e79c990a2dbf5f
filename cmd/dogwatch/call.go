package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"dogwatch/internal/cloudapi/client"
)

type callCmd struct {
	Action   string `arg:"" help:"Name of the action, such as DescribeAssetImageRegistryList."`
	Params   string `arg:"" optional:"" help:"Parameters as a JSON object; - reads them from standard input." default:"{}"`
	Endpoint string `help:"Where the API answers: http://host:port or https://host:port." default:"http://127.0.0.1:8080" env:"DOGWATCH_ENDPOINT"`
	CA       string `name:"ca" help:"CA certificate (PEM) to trust, for https." type:"path" env:"DOGWATCH_CA"`
	SecretID string `help:"SecretId; the SecretKey comes only from the environment (DOGWATCH_SECRET_KEY or TENCENTCLOUD_SECRET_KEY)." env:"DOGWATCH_SECRET_ID,TENCENTCLOUD_SECRET_ID"`
	Language string `help:"Language of error messages." enum:"en-US,zh-CN" default:"en-US"`
}

// callTime bounds one call; the SDKs wait as long.
const callTime = 60 * time.Second

// Run calls an action and prints the answer.
func (c *callCmd) Run(ctx context.Context, p process) error {
	params, err := c.params(p.in)
	if err != nil {
		return err
	}
	key := os.Getenv("DOGWATCH_SECRET_KEY")
	if key == "" {
		key = os.Getenv("TENCENTCLOUD_SECRET_KEY")
	}
	if c.SecretID == "" || key == "" {
		return errors.New("no access key: set DOGWATCH_SECRET_ID and DOGWATCH_SECRET_KEY")
	}
	api := &client.Client{Endpoint: c.Endpoint, SecretID: c.SecretID, SecretKey: key, Language: c.Language}
	if c.CA != "" {
		if api.HTTP, err = client.TrustCA(c.CA); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithTimeout(ctx, callTime)
	defer cancel()
	answer, err := api.Call(ctx, c.Action, params)
	if err != nil {
		return err
	}
	var pretty bytes.Buffer
	if err := json.Indent(&pretty, answer, "", "  "); err != nil {
		return fmt.Errorf("answer of %s: %w", c.Action, err)
	}
	_, err = fmt.Fprintln(p.out, pretty.String())
	return err
}

func (c *callCmd) params(in io.Reader) (json.RawMessage, error) {
	if c.Params != "-" {
		return json.RawMessage(c.Params), nil
	}
	text, err := io.ReadAll(in)
	if err != nil {
		return nil, fmt.Errorf("reading the parameters: %w", err)
	}
	return text, nil
}
