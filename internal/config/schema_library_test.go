package config_test

import (
	"encoding/json"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"jstsync/internal/config"
)

// fromYAML gives a YAML document as parsed JSON.
func fromYAML(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := yaml.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	v = nil
	if err := json.Unmarshal(encoded, &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// TestSchema_Library holds the schema against an implementation of JSON Schema
// that is not ours.
func TestSchema_Library(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("mem:///jstsync", schema(t)); err != nil {
		t.Fatal(err)
	}
	compiled, err := compiler.Compile("mem:///jstsync") // against the meta-schema too
	if err != nil {
		t.Fatal(err)
	}
	for _, content := range append(schemaGood(), config.Template, exampleFile(t)) {
		if err := compiled.Validate(fromYAML(t, content)); err != nil {
			t.Errorf("%q: %v", content, err)
		}
	}
	for _, content := range schemaMistakes() {
		if err := compiled.Validate(fromYAML(t, content)); err == nil {
			t.Errorf("%q: want it refused", content)
		}
	}
}
