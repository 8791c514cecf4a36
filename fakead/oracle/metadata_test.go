package oracle

// Replication metadata, as both servers give it: replPropertyMetaData.

import (
	"encoding/binary"
	"fmt"
	"strings"

	"passback/fakead/tree"
)

// metadata NAME|DN ATTRIBUTE... tells how often each attribute was written; none if it never was.
func requestMetadata(r *run, st statement) (answer, error) {
	if err := need(st, 2); err != nil {
		return answer{}, err
	}
	dn, err := r.target(st.args[0])
	if err != nil {
		return answer{}, err
	}
	e, err := r.server.entry(dn, "replPropertyMetaData")
	if err != nil {
		return answer{}, err
	}
	versions, err := versionsIn(e.GetRawAttributeValue("replPropertyMetaData"))
	if err != nil {
		return answer{}, err
	}
	var told []string
	for _, t := range st.args[1:] {
		a := tree.LookupAttribute(t.text)
		if a == nil {
			return answer{}, fmt.Errorf("no attribute %s", t.text)
		}
		version := "none"
		if n, ok := versions[a.Type()]; ok {
			version = fmt.Sprint(n)
		}
		told = append(told, a.Name+"="+version)
	}
	return answer{code: "0", rest: strings.Join(told, " ")}, nil
}

// versionsIn reads a version and a count, and of each attribute its number, version, time, origin and two USNs.
func versionsIn(blob []byte) (map[uint32]uint32, error) {
	const header, each = 16, 48
	if len(blob) < header || len(blob) != header+each*int(binary.LittleEndian.Uint32(blob[8:])) || blob[0] != 1 {
		return nil, fmt.Errorf("replPropertyMetaData of %d bytes is not what it should be", len(blob))
	}
	versions := map[uint32]uint32{}
	for rest := blob[header:]; len(rest) > 0; rest = rest[each:] {
		versions[binary.LittleEndian.Uint32(rest)] = binary.LittleEndian.Uint32(rest[4:])
	}
	return versions, nil
}
