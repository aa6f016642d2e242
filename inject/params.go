package inject

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strconv"
	"strings"
)

// decodeParams reads a fault's parameters strictly: an unknown name is a mistake of the drill, not a wish.
func decodeParams(kind string, raw json.RawMessage, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		why := strings.TrimPrefix(err.Error(), "json: ")
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			why = wrong.Field + " is a " + wrong.Value + ", want " + wrong.Type.String()
		}
		return Refuse("see docs/faults.md for what "+kind+" takes", "parameters of %s: %s", kind, why)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Refuse("write one object", "parameters of %s: something follows the object", kind)
	}
	return nil
}

// maxRate bounds our own load: enough to make a throttle felt, too little to be an outage of its own.
const maxRate = 1000

// parseRate reads "50/s". Empty is no load.
func parseRate(s string) (perSecond float64, err error) {
	if s == "" {
		return 0, nil
	}
	digits, ok := strings.CutSuffix(s, "/s")
	rate, bad := strconv.ParseFloat(digits, 64)
	if !ok || bad != nil || !(rate > 0) || rate > maxRate {
		return 0, Refuse("write requests a second up to 1000/s, such as 50/s", "load %q is not a rate", s)
	}
	return rate, nil
}
