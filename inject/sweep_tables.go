package inject

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// patiently tries a listing more often than others: an account may have hundreds of tables, and their tags are told ten
// times a second.
// https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_ListTagsOfResource.html
func patiently(o *dynamodb.Options) {
	o.Retryer = retry.NewStandard(func(s *retry.StandardOptions) { s.MaxAttempts, s.MaxBackoff = 8, 5*time.Second })
}

// findTables reads the tags of every table.
func (s *Sweeper) findTables(ctx context.Context, at home, f *finding) {
	names, err := s.tableNames(ctx)
	if err != nil {
		f.unread("tables", err)
	}
	f.looked("tables", len(names))
	each(ctx, names, func(name string) { s.findTable(ctx, at, name, f) })
}

// findTable looks at one table: its tags, and the statements of its policy.
func (s *Sweeper) findTable(ctx context.Context, at home, name string, f *finding) {
	l := Leftover{Thing: "table " + name, ARN: at.arn("dynamodb", "table/"+name)}
	tags, err := s.tagsOfTable(ctx, l.ARN)
	if err != nil {
		f.unread("tags of table "+name, err)
	}
	if f.findThrowaway(l, name, tags, at.command("dynamodb", "delete-table", "--table-name", name)) {
		return
	}
	policy, revision, err := s.tablePolicy(ctx, l.ARN)
	if err != nil {
		f.unread("policy of table "+name, err)
	}
	m, marked, bad := markOfTags(tags)
	if !marked && !strings.Contains(policy, sidPrefix) {
		return
	}
	now, err := s.tables.readTable(ctx, name)
	if errors.Is(err, ErrGone) {
		return
	}
	if err != nil {
		f.unread("table "+name, err)
		return
	}
	denied := marked && bad == nil && strings.HasPrefix(tags[TagUndo], policyWord)
	if marked && !denied {
		one := l
		one.Mark, one.ByHand = m, []string{at.untagTable(l.ARN)}
		if bad != nil {
			one.Why = bad.Error()
			f.found(one)
		} else {
			f.found(recallTable(at, one, now, tags))
		}
	}
	var mark *Mark
	if denied {
		mark, l.ByHand = &m, []string{at.untagTable(l.ARN)}
	}
	f.findDenials(l, mark, policy, s.c.now(), func(d *foundDenial, doc policyDoc) (Undo, []string, error) {
		return at.tableDenial(d, doc, now, formOf(tags), revision)
	})
}

func (s *Sweeper) tableNames(ctx context.Context) (names []string, err error) {
	in := &dynamodb.ListTablesInput{}
	for {
		out, err := s.c.DynamoDB.ListTables(ctx, in, patiently)
		if err != nil {
			return names, fmt.Errorf("list tables: %w", err)
		}
		names = append(names, out.TableNames...)
		if aws.ToString(out.LastEvaluatedTableName) == "" {
			return names, nil
		}
		in.ExclusiveStartTableName = out.LastEvaluatedTableName
	}
}

// tagsOfTable reads a table's tags; a table that went meanwhile has none.
func (s *Sweeper) tagsOfTable(ctx context.Context, own string) (map[string]string, error) {
	tags := map[string]string{}
	in := &dynamodb.ListTagsOfResourceInput{ResourceArn: &own}
	for {
		out, err := s.c.DynamoDB.ListTagsOfResource(ctx, in, patiently)
		if hasCode(err, "ResourceNotFoundException") {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("list tags of %s: %w", own, err)
		}
		for _, t := range out.Tags {
			tags[aws.ToString(t.Key)] = aws.ToString(t.Value)
		}
		if aws.ToString(out.NextToken) == "" {
			return tags, nil
		}
		in.NextToken = out.NextToken
	}
}

// recallTable makes an undo of what a table's tags tell.
func recallTable(at home, l Leftover, now table, tags map[string]string) Leftover {
	d, err := recallThrottle(aws.ToString(now.TableName), tags[TagUndo])
	if err != nil {
		l.Why = err.Error()
		return l
	}
	l.Finds = d.found(now)
	l.ByHand = d.byHand(at, now, l.ARN)
	for _, x := range d.dimensions() {
		if x.During == unsaid && (now.units(x.name) != x.Before || !now.active()) {
			l.Why = fmt.Sprintf("%s are %s and were %s, and the mark does not say whether that is ours", x.name, units(now.units(x.name), d.Mode), units(x.Before, d.Mode))
			return l
		}
	}
	u, err := newUndo(KindThrottle, l.Mark, at.target(l.ARN), d)
	if err != nil {
		l.Why = err.Error()
		return l
	}
	l.Undo = &u
	return l
}

func (h home) target(own string) Target {
	return Target{ARN: own, Account: h.account, Region: h.region}
}

// unsaid is what a mark of before version 0.3 says of our own value: nothing. No table has it.
const unsaid = 0

// recallThrottle reads what short has written: mode=provisioned writes=100 writes-during=1 WriteCapacityUnits=000.
func recallThrottle(name, short string) (throttleUndo, error) {
	d := throttleUndo{Table: name}
	sides := map[string]*unitsUndo{}
	side := func(of string) *unitsUndo {
		if sides[of] == nil {
			sides[of] = &unitsUndo{During: unsaid}
		}
		return sides[of]
	}
	for _, word := range strings.Fields(short) {
		key, value, _ := strings.Cut(word, "=")
		var err error
		switch key {
		case "mode":
			d.Mode = value
		case "writes", "reads":
			side(key).Before, err = strconv.ParseInt(value, 10, 64)
		case "writes" + duringWord, "reads" + duringWord:
			side(strings.TrimSuffix(key, duringWord)).During, err = strconv.ParseInt(value, 10, 64)
		case "WriteCapacityUnits", "ReadCapacityUnits":
			var before suspension
			before, err = readSuspension(value)
			d.Scaling = append(d.Scaling, scalingUndo{Dimension: "dynamodb:table:" + key, Before: before})
		default:
			err = errors.New("it is not one of ours")
		}
		if err != nil {
			return d, fmt.Errorf("%s is %q: %s: %w", TagUndo, short, word, err)
		}
	}
	d.Writes, d.Reads = sides["writes"], sides["reads"]
	if d.Mode != modeOnDemand && d.Mode != modeProvisioned || len(sides) == 0 {
		return d, fmt.Errorf("%s is %q, which does not say what was there before", TagUndo, short)
	}
	for of, u := range sides {
		if u.Before == 0 || u.Before < noMaximum || u.Before == noMaximum && d.Mode == modeProvisioned || u.During < 0 {
			return d, fmt.Errorf("%s is %q: %s cannot have been that", TagUndo, short, of)
		}
	}
	return d, nil
}

func readSuspension(s string) (suspension, error) {
	if len(s) != 3 || strings.Trim(s, "01") != "" {
		return suspension{}, errors.New("not three switches")
	}
	return suspension{In: s[0] == '1', Out: s[1] == '1', Scheduled: s[2] == '1'}, nil
}

// found says for people what the mark and the table tell.
func (d throttleUndo) found(now table) string {
	var words []string
	for _, x := range d.dimensions() {
		words = append(words, fmt.Sprintf("%s: %s, before %s", x.name, units(now.units(x.name), now.mode()), units(x.Before, d.Mode)))
	}
	for _, s := range d.Scaling {
		words = append(words, "auto scaling of "+lastPart(s.Dimension, ":")+" suspended")
	}
	if !now.active() {
		words = append(words, "the table is "+string(now.TableStatus))
	}
	return strings.Join(words, "; ")
}

// byHand is what a person types to put a table back: capacity, auto scaling, tags.
func (d throttleUndo) byHand(at home, now table, own string) []string {
	value := map[string]int64{}
	for _, x := range d.dimensions() {
		value[x.name] = x.Before
	}
	flag, most := "--on-demand-throughput", map[string]string{"reads": "MaxReadRequestUnits", "writes": "MaxWriteRequestUnits"}
	if d.Mode == modeProvisioned {
		flag, most = "--provisioned-throughput", map[string]string{"reads": "ReadCapacityUnits", "writes": "WriteCapacityUnits"}
		for name := range most {
			if _, ours := value[name]; !ours {
				value[name] = now.units(name) // the call names both
			}
		}
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(value)) {
		words = append(words, fmt.Sprintf("%s=%d", most[name], value[name]))
	}
	lines := []string{at.command("dynamodb", "update-table", "--table-name", d.Table, flag, strings.Join(words, ","))}
	for _, s := range d.Scaling {
		lines = append(lines, at.command("application-autoscaling", "register-scalable-target", "--service-namespace", "dynamodb",
			"--resource-id", "table/"+d.Table, "--scalable-dimension", s.Dimension, "--suspended-state",
			fmt.Sprintf("DynamicScalingInSuspended=%t,DynamicScalingOutSuspended=%t,ScheduledScalingSuspended=%t", s.Before.In, s.Before.Out, s.Before.Scheduled)))
	}
	return append(lines, at.untagTable(own))
}

func (h home) untagTable(own string) string {
	return h.command(append([]string{"dynamodb", "untag-resource", "--resource-arn", own, "--tag-keys"}, ourTags()...)...)
}
