package report

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"passback/scenarios"
)

// JUnit's XML, as far as CI systems read it: one suite, a case for each scenario, its area as the class.

type junitSuites struct {
	XMLName xml.Name   `xml:"testsuites"`
	Suite   junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name       string          `xml:"name,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
	Steps   string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

func (r Report) junit() ([]byte, error) {
	suite := junitSuite{
		Name: "passback conform", Tests: len(r.Results), Failures: r.Count(scenarios.Failed), Skipped: r.Count(scenarios.Skipped),
		Time: seconds(r.Took), Timestamp: r.Started.Format("2006-01-02T15:04:05"),
		Properties: []junitProperty{{"directory", r.Target.Directory}, {"agent", r.Target.Agent}, {"note", r.Target.Note}, {"seed", fmt.Sprint(r.Seed)}},
	}
	for _, result := range r.Results {
		c := junitCase{Name: result.ID + " " + result.Title, Class: string(result.Area), Time: seconds(result.Took), Steps: strings.Join(result.Steps, "\n")}
		switch result.Verdict {
		case scenarios.Failed:
			c.Failure = &junitMessage{result.Reason}
		case scenarios.Skipped:
			c.Skipped = &junitMessage{result.Reason}
		}
		suite.Cases = append(suite.Cases, c)
	}
	text, err := xml.MarshalIndent(junitSuites{Suite: suite}, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", junitFile, err)
	}
	return append([]byte(xml.Header), append(text, '\n')...), nil
}

func seconds(d Duration) string { return fmt.Sprintf("%.3f", time.Duration(d).Seconds()) }
