// Package docrun reads what the documents show: the command lines, and the files. Its tests run the ones and validate the
// others, so that no page tells of a verb, a flag or a key that is not there.
package docrun
