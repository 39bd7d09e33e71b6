// Package config turns jstsync.yaml and the environment into settings that are
// valid by construction.
//
// [Load] reads one YAML file, or none, and answers either [Settings] or an
// [*Error] that lists every mistake found, each a [Problem] with its line and
// column. [Settings.Require] and [Settings.Pipeline] then say whether what one
// command needs is there.
//
// Guaranteed:
//   - a setting that is present has its type, its range and its form; one left
//     out has its documented default;
//   - all mistakes of a file are reported together, unknown and duplicate keys
//     among them; only a syntax error hides what stands in the same file;
//   - a setting whose value is missing (never set, empty, or made of an unset
//     environment variable) has its zero value and is an error only for whoever
//     requires it;
//   - no value of a secret setting, of an environment variable or of a secret
//     file appears in an error;
//   - Load reads nothing but what its [Host] gives it, and keeps no state.
//
// Not guaranteed: that a DSN can be parsed, that a credential is accepted, that
// a path can be written, or that a table name suits a certain server. Anchors,
// aliases, merge keys and tags of YAML are refused, not resolved.
package config
