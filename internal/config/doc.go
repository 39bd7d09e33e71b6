// Package config turns jstsync.yaml and the environment into settings that are
// valid by construction.
//
// [Load] reads one YAML file, or none, and answers either [Settings] or an
// [*Error] that lists every mistake found, each a [Problem] with its line and
// column. [Settings.Require], [Settings.RequireFor] and [Settings.Pipeline] then
// say whether what one command needs is there; [Check] says at once what any
// command would miss. [Settings.EffectiveYAML] shows what is in effect, [Schema]
// is for editors, and [Template] is a file to begin with. The decoder, the
// schema and the settings shown all come from the tags of the settings' fields.
// What takes knowledge of the other packages is found by an [Examiner], whose
// every [Finding] becomes a problem with its place in the file.
//
// Guaranteed:
//   - a setting that is present has its type, its range and its form; one left
//     out has its documented default;
//   - a pipeline reads a source that there is, its key is mapped, and no two
//     pipelines write one table unless both are shared;
//   - all mistakes of a file are reported together, unknown and duplicate keys
//     among them; only a syntax error hides what stands in the same file;
//   - a setting whose value is missing (never set, empty, or made of an unset
//     environment variable) has its zero value and is an error only for whoever
//     requires it;
//   - no value of a secret setting, of an environment variable or of a secret
//     file appears in an error; of a line that an error quotes, only what is
//     known to be harmless;
//   - Load reads nothing but what its [Host] gives it and the time-zone database,
//     and keeps no state.
//
// Not guaranteed: that a credential is accepted, that a path can be written, that
// a table name suits a certain server, or that a resource has the fields named;
// and without an examiner, that a DSN can be parsed or an expression compiles. Anchors,
// aliases, merge keys and tags of YAML are refused, not resolved.
package config
