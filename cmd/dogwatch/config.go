package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/knadh/koanf/parsers/yaml"
)

// yamlLoader reads the file of --config. Its keys are the flags' names; a key
// that no flag has is refused, so that a slip does not pass in silence.
func yamlLoader(r io.Reader) (kong.Resolver, error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, fmt.Errorf("configuration file: %w", err)
	}
	values, err := yaml.Parser().Unmarshal(text)
	if err != nil {
		return nil, fmt.Errorf("configuration file is not YAML: %w", err)
	}
	return &yamlResolver{values: values}, nil
}

type yamlResolver struct{ values map[string]any }

// Validate refuses unknown keys.
func (y *yamlResolver) Validate(app *kong.Application) error {
	known := map[string]bool{}
	collectFlags(app.Node, known)
	for key := range y.values {
		if !known[key] {
			return fmt.Errorf("configuration file: unknown key %q; the keys are the names of the flags, see dogwatch serve --help", key)
		}
	}
	return nil
}

func collectFlags(node *kong.Node, known map[string]bool) {
	for _, flag := range node.Flags {
		known[flag.Name] = true
	}
	for _, child := range node.Children {
		collectFlags(child, known)
	}
}

// Resolve gives a flag its value from the file. The environment wins over it:
// it is nearer to the process.
func (y *yamlResolver) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, name := range flag.Tag.Envs {
		if _, set := os.LookupEnv(name); set {
			return nil, nil
		}
	}
	value, ok := y.values[flag.Name]
	if !ok {
		return nil, nil
	}
	if list, ok := value.([]any); ok {
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = fmt.Sprint(v)
		}
		return strings.Join(words, ","), nil
	}
	return fmt.Sprint(value), nil
}
