package journal

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The table has two keys: the partition (keyPart), and the name within it (keyName).
//
//	run/<run>        0000000000000000042   one batch, by its position
//	runs             <run>                 the run at a glance
//	leases/runs      run/<run>             who works on it
//	leases/targets   <ARN>                 which run has it
const (
	keyPart = "part"
	keyName = "name"

	partRuns    = "runs"
	partHolders = "leases/runs"
	partTargets = "leases/targets"
)

func partOf(run string) string { return "run/" + run }

func partOfLease(name string) string {
	if isRunLease(name) {
		return partHolders
	}
	return partTargets
}

// nameAt is a position as a name: names are ordered by their letters.
func nameAt(seq int64) string { return fmt.Sprintf("%019d", seq) }

// fields are the attributes of one item.
type fields map[string]types.AttributeValue

func keyOf(part, name string) fields { return fields{keyPart: text(part), keyName: text(name)} }

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func whole(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func truth(b bool) types.AttributeValue { return &types.AttributeValueMemberBOOL{Value: b} }

func instant(t time.Time) types.AttributeValue { return whole(t.UnixMicro()) }

func (f fields) text(name string) string {
	v, _ := f[name].(*types.AttributeValueMemberS)
	if v == nil {
		return ""
	}
	return v.Value
}

func (f fields) bytes(name string) []byte {
	v, _ := f[name].(*types.AttributeValueMemberB)
	if v == nil {
		return nil
	}
	return v.Value
}

func (f fields) truth(name string) bool {
	v, _ := f[name].(*types.AttributeValueMemberBOOL)
	return v != nil && v.Value
}

// whole is 0 where there is no number.
func (f fields) whole(name string) int64 {
	v, _ := f[name].(*types.AttributeValueMemberN)
	if v == nil {
		return 0
	}
	n, _ := strconv.ParseInt(v.Value, 10, 64)
	return n
}

func (f fields) instant(name string) time.Time { return time.UnixMicro(f.whole(name)).UTC() }

// has says whether there is such an attribute at all.
func (f fields) has(name string) bool {
	_, ok := f[name]
	return ok
}

// A batch is kept as text, which people can read in the console; one that is large is packed.
const (
	packFrom = 64 << 10
	mostItem = 390 << 10 // of DynamoDB's 400 KB: names and numbers count too
)

// events of a batch as attributes.
func (f fields) setEvents(data []byte) error {
	if len(data) < packFrom {
		f["events"] = text(string(data))
		return nil
	}
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(data); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if out.Len() > mostItem {
		return errTooBig(out.Len())
	}
	f["packed"] = &types.AttributeValueMemberB{Value: out.Bytes()}
	return nil
}

func (f fields) events(run string) ([]Event, error) {
	seq, err := strconv.ParseInt(f.text(keyName), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("read run %s at %q: %w", run, f.text(keyName), err)
	}
	data := []byte(f.text("events"))
	if packed := f.bytes("packed"); packed != nil {
		r, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			return nil, fmt.Errorf("read run %s at %d: %w", run, seq, err)
		}
		if data, err = io.ReadAll(r); err != nil {
			return nil, fmt.Errorf("read run %s at %d: %w", run, seq, err)
		}
	}
	return decodeBatch(run, seq, data)
}

func sortedNames(f fields) []string { return slices.Sorted(maps.Keys(f)) }
