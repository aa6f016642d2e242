package inject

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// The billing modes of a table, as an undo spells them.
const (
	modeOnDemand    = "on-demand"
	modeProvisioned = "provisioned"
)

// noMaximum is the on-demand maximum that is none; DynamoDB takes it away for -1.
const noMaximum = -1

// throttleUndo is the data of a dynamodb.throttle undo, version 1. Units are DynamoDB's: capacity or request
// units a second.
type throttleUndo struct {
	Table   string         `json:"table"`
	ID      string         `json:"table_id,omitempty"` // tells a table from a later one of the same name
	Mode    string         `json:"mode"`
	Writes  *unitsUndo     `json:"writes,omitempty"`
	Reads   *unitsUndo     `json:"reads,omitempty"`
	Scaling []scalingUndo  `json:"scaling,omitempty"`
	Keys    []keyAttribute `json:"keys"`
	Load    float64        `json:"load_per_s,omitempty"`
	Seen    capacitySeen   `json:"seen"`
}

// unitsUndo is one dimension: what it was, and what we make of it.
type unitsUndo struct {
	Before int64 `json:"before"` // -1: no maximum
	During int64 `json:"during"`
}

// scalingUndo is what we suspend of one scalable target.
type scalingUndo struct {
	Dimension string     `json:"dimension"`
	Before    suspension `json:"before"`
}

// suspension is the three switches of an auto scaling target; ours are all on.
type suspension struct {
	In        bool `json:"in"`
	Out       bool `json:"out"`
	Scheduled bool `json:"scheduled"`
}

func (s suspension) all() bool { return s.In && s.Out && s.Scheduled }

// keyAttribute is one attribute of the table's primary key: load and verification name a key that is not there.
type keyAttribute struct {
	Name string `json:"name"`
	Type string `json:"type"` // S, N or B
}

// capacitySeen is what else Prepare read, for plan and last resort; no undo lives on it.
type capacitySeen struct {
	Reads        int64      `json:"reads"`
	Writes       int64      `json:"writes"`
	Decreases    int64      `json:"decreases_today"`
	LastDecrease *time.Time `json:"last_decrease,omitempty"`
}

// readThrottleUndo decodes an undo of any version ever written.
func readThrottleUndo(u Undo) (throttleUndo, error) {
	var d throttleUndo
	if u.Kind != KindThrottle || u.V != 1 {
		return d, fmt.Errorf("undo of kind %s version %d is not one of ours", u.Kind, u.V)
	}
	if err := json.Unmarshal(u.Data, &d); err != nil {
		return d, fmt.Errorf("read undo of %s: %w", u.Kind, err)
	}
	return d, nil
}

// dimension is one of a table's two throughputs in an undo.
type dimension struct {
	name string // writes, reads
	unitsUndo
}

// dimensions lists what we change, writes first.
func (d throttleUndo) dimensions() []dimension {
	var all []dimension
	if d.Writes != nil {
		all = append(all, dimension{"writes", *d.Writes})
	}
	if d.Reads != nil {
		all = append(all, dimension{"reads", *d.Reads})
	}
	return all
}

// duringWord follows a dimension's name where the tag says what we make of it: without that nobody can tell our value
// from a responder's.
const duringWord = "-during"

// short is the undo as a tag: enough for who finds the table without a journal.
func (d throttleUndo) short() string {
	words := []string{"mode=" + d.Mode}
	for _, x := range d.dimensions() {
		words = append(words, fmt.Sprintf("%s=%d", x.name, x.Before))
		if x.During != unsaid {
			words = append(words, fmt.Sprintf("%s%s=%d", x.name, duringWord, x.During))
		}
	}
	for _, s := range d.Scaling {
		words = append(words, fmt.Sprintf("%s=%s", lastPart(s.Dimension, ":"), s.Before))
	}
	return strings.Join(words, " ")
}

// String is the three switches as 0 and 1: in, out, scheduled.
func (s suspension) String() string {
	digit := func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	}
	return digit(s.In) + digit(s.Out) + digit(s.Scheduled)
}

// units says a throughput for people.
func units(n int64, mode string) string {
	if mode == modeOnDemand && n == noMaximum {
		return "no maximum"
	}
	return fmt.Sprintf("%d units/s", n)
}
