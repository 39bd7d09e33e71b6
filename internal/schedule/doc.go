// Package schedule runs jobs again and again at their times.
//
// A [Timetable] says when a job is due: [Every] so often, or by a [Cron] line in
// a time zone. A [Scheduler] runs jobs by their timetables.
//
// Guarantees: a job runs when it starts being scheduled, and then whenever it
// is due; never two runs at once, of whichever job; due times that passed
// while a job could not run are made up for by one run; due times do not drift,
// however long runs take; a clock that is set forward or back costs at most one
// run more, and none is waited for longer than its timetable says; after
// repeated failures due times are passed over, for at most 15 minutes.
//
// Non-guarantees: a running job is never interrupted here, and nothing of a
// schedule outlives the process.
package schedule
