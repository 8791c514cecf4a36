package writeback

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decodeYAML reads one document into a struct. An unknown key is refused with those that are allowed in its place:
// the library's own strictness names a Go type instead.
func decodeYAML(text []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	if err := d.Decode(&document); errors.Is(err, io.EOF) {
		return errors.New("is empty")
	} else if err != nil {
		return fmt.Errorf("not YAML: %w", err)
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return errors.New("holds more than one document; want one")
	}
	if err := checkKeys(&document, reflect.TypeOf(into).Elem(), ""); err != nil {
		return err
	}
	if err := document.Decode(into); err != nil {
		return fmt.Errorf("a value of the wrong kind: %w", err)
	}
	return nil
}

// checkKeys walks a document beside the type that it will be decoded into.
func checkKeys(n *yaml.Node, t reflect.Type, path string) error {
	switch {
	case n.Kind == yaml.DocumentNode:
		return checkKeys(n.Content[0], t, path)
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			if err := checkKeys(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i)); err != nil {
				return err
			}
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		allowed := yamlKeys(t)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			field, known := allowed.types[key.Value]
			if !known {
				return fmt.Errorf("line %d: unknown key %.60q; allowed here: %s", key.Line, join(path, key.Value), strings.Join(allowed.names, ", "))
			}
			if err := checkKeys(n.Content[i+1], field, join(path, key.Value)); err != nil {
				return err
			}
		}
	case t.Kind() == reflect.Struct && n.Tag != "!!null":
		return fmt.Errorf("line %d: %s wants keys: %s", n.Line, path, strings.Join(yamlKeys(t).names, ", "))
	}
	return nil
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

type keys struct {
	names []string
	types map[string]reflect.Type
}

func yamlKeys(t reflect.Type) keys {
	k := keys{types: map[string]reflect.Type{}}
	for i := range t.NumField() {
		f := t.Field(i)
		if name := f.Tag.Get("yaml"); name != "-" {
			k.names = append(k.names, name)
			k.types[name] = f.Type
		}
	}
	return k
}
