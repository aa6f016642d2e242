package debrief

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"time"
)

// The elements of a JUnit report, as far as test reports of CI systems read them.
type (
	junitReport struct {
		XMLName xml.Name `xml:"testsuites"`
		Name    string   `xml:"name,attr"`
		junitCount
		Suites []junitSuite `xml:"testsuite"`
	}
	junitCount struct {
		Tests    int    `xml:"tests,attr"`
		Failures int    `xml:"failures,attr"`
		Errors   int    `xml:"errors,attr"`
		Skipped  int    `xml:"skipped,attr"`
		Time     string `xml:"time,attr"`
	}
	junitSuite struct {
		Name      string `xml:"name,attr"`
		Timestamp string `xml:"timestamp,attr,omitempty"`
		junitCount
		Properties *junitProperties `xml:"properties"`
		Cases      []junitCase      `xml:"testcase"`
		Out        string           `xml:"system-out,omitempty"`
	}
	junitProperties struct {
		List []junitProperty `xml:"property"`
	}
	junitProperty struct {
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	}
	junitCase struct {
		Class   string     `xml:"classname,attr"`
		Name    string     `xml:"name,attr"`
		Time    string     `xml:"time,attr"`
		Skipped *junitText `xml:"skipped"`
		Failure *junitText `xml:"failure"`
		Error   *junitText `xml:"error"`
	}
	junitText struct {
		Message string `xml:"message,attr"`
		Type    string `xml:"type,attr,omitempty"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes suites as a JUnit report: one test suite a run, one test case for each thing that the run was to show.
func JUnit(w io.Writer, suites []Suite) error {
	report := junitReport{Name: "firedrill"}
	total := 0.0
	for _, s := range suites {
		one := junitOf(s)
		report.Suites = append(report.Suites, one)
		report.Tests += one.Tests
		report.Failures += one.Failures
		report.Errors += one.Errors
		report.Skipped += one.Skipped
		total += s.Seconds
	}
	report.Time = seconds3(total)
	b, err := xml.MarshalIndent(report, "", "  ")
	if err == nil {
		_, err = fmt.Fprintf(w, "%s%s\n", xml.Header, b)
	}
	if err != nil {
		return fmt.Errorf("write JUnit report: %w", err)
	}
	return nil
}

func junitOf(s Suite) junitSuite {
	out := junitSuite{Name: s.Drill, junitCount: junitCount{Tests: len(s.Cases), Time: seconds3(s.Seconds)}, Out: s.Summary}
	if !s.Began.IsZero() {
		out.Timestamp = s.Began.UTC().Format(time.RFC3339)
	}
	var properties junitProperties
	for _, p := range []junitProperty{{"run", s.Run}, {"environment", s.Environment}, {"team", s.Team}, {"outcome", s.Outcome}} {
		if p.Value != "" {
			properties.List = append(properties.List, p)
		}
	}
	if len(properties.List) > 0 {
		out.Properties = &properties
	}
	class := "firedrill." + s.Drill
	if s.Environment != "" {
		class = "firedrill." + s.Environment + "." + s.Drill
	}
	for _, c := range s.Cases {
		x := junitCase{Class: class, Name: c.Name, Time: seconds3(c.Seconds)}
		text := &junitText{Message: c.Says}
		switch c.Result {
		case Failure:
			text.Type, text.Text = "missed", c.Says
			x.Failure = text
			out.Failures++
		case Error:
			text.Type, text.Text = "error", c.Says
			x.Error = text
			out.Errors++
		case Skipped:
			x.Skipped = text
			out.Skipped++
		}
		out.Cases = append(out.Cases, x)
	}
	return out
}

// seconds3 is a time as JUnit has it: in seconds.
func seconds3(s float64) string { return strconv.FormatFloat(s, 'f', 3, 64) }
