// Package e2e tries jstsync's pages in a real browser: a headless Chromium,
// which .ci/test installs where there is none. JSTSYNC_TEST_CHROMIUM names
// another program to use.
//
// The tests drive the pages as a person does. JSTSYNC_SCREENSHOTS names a
// directory to leave pictures in.
package e2e
