// Package report renders plans and runs: as text, Markdown and HTML for people,
// as SQL for review, as JSON for programs.
//
// The JSON is an interface with a format number: fields are added, never
// renamed, never localised. All else is for reading and may change.
//
// Guarantees: whatever a record holds, no text moves a cursor, changes a colour
// or becomes markup: control characters and bidirectional overrides are shown
// as escapes, and a value is never more than a value. Integers are exact JSON
// numbers. A plan is written as its changes are decoded, so that a report needs
// no more memory for many.
package report

// Format is the number of the JSON format of plans.
const Format = 1
