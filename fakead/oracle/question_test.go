package oracle

// Questions are data: the files of testdata/questions. A question is a heading, "== ID what it asks", and statements,
// one a line; lines that begin with a tab belong to the statement above them. # begins a comment line.
//
// The ids of questions about one behaviour begin alike: R02-a, R02-b. The README beside this file lists the verbs.

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A question is asked of both servers.
type question struct {
	id, asks   string
	statements []statement
}

// A statement sets something up, or sends one request whose answer is compared.
type statement struct {
	where   string // file and line
	verb    string
	given   bool // the request has to succeed, and is not compared
	args    []token
	clauses [][]token
}

var heading = regexp.MustCompile(`^== ([RS][0-9.]+-[a-z0-9]+) (\S.*)$`)

// readQuestions reads all files in order of their names.
func readQuestions(pattern string) ([]question, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []question
	seen := map[string]bool{}
	for _, name := range files {
		some, err := readFile(name)
		if err != nil {
			return nil, err
		}
		for _, q := range some {
			if seen[q.id] {
				return nil, fmt.Errorf("%s: a second question %s", name, q.id)
			}
			seen[q.id] = true
		}
		all = append(all, some...)
	}
	return all, nil
}

func readFile(name string) ([]question, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var all []question
	lines := bufio.NewScanner(f)
	for n := 1; lines.Scan(); n++ {
		line, where := lines.Text(), fmt.Sprintf("%s:%d", filepath.Base(name), n)
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if h := heading.FindStringSubmatch(line); h != nil {
			all = append(all, question{id: h[1], asks: h[2]})
			continue
		}
		if len(all) == 0 || strings.HasPrefix(line, "==") {
			return nil, fmt.Errorf("%s: not a heading: %s", where, line)
		}
		if err := all[len(all)-1].read(line, where); err != nil {
			return nil, fmt.Errorf("%s: %w", where, err)
		}
	}
	return all, lines.Err()
}

// read takes one line of a question.
func (q *question) read(line, where string) error {
	tokens, err := tokenize(line)
	if err != nil {
		return err
	}
	if strings.HasPrefix(line, "\t") {
		if len(q.statements) == 0 {
			return fmt.Errorf("a clause without a statement")
		}
		last := &q.statements[len(q.statements)-1]
		last.clauses = append(last.clauses, tokens)
		return nil
	}
	s := statement{where: where}
	if tokens[0].text == "given" && len(tokens) > 1 {
		s.given, tokens = true, tokens[1:]
	}
	s.verb, s.args = tokens[0].text, tokens[1:]
	_, isSetup := setups[s.verb]
	_, isRequest := requests[s.verb]
	if !isSetup && !isRequest {
		return fmt.Errorf("no such verb: %s", s.verb)
	}
	q.statements = append(q.statements, s)
	return nil
}
