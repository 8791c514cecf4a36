package amqp

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// Encodings that the standard prints (part 1, 1.1.2, 1.2, 1.6) or that follow from its tables without a choice.
var vectors = []struct {
	name  string
	value any
	hex   string
}{
	{"null", nil, "40"},
	{"true", true, "41"},
	{"false", false, "42"},
	{"ubyte", uint8(0x11), "5011"},
	{"ushort", uint16(0x1122), "601122"},
	{"uint zero", uint32(0), "43"},
	{"uint small", uint32(0x10), "5210"},
	{"uint", uint32(0x11223344), "7011223344"},
	{"ulong zero", uint64(0), "44"},
	{"ulong small", uint64(0x75), "5375"},
	{"ulong", uint64(0x1122334455667788), "801122334455667788"},
	{"byte", int8(-1), "51ff"},
	{"short", int16(-2), "61fffe"},
	{"int small", int32(-128), "5480"},
	{"int", int32(-129), "71ffffff7f"},
	{"long small", int64(127), "557f"},
	{"long", int64(128), "810000000000000080"},
	{"float", float32(1), "723f800000"},
	{"double", float64(-2), "82c000000000000000"},
	{"decimal32", Decimal32{1, 2, 3, 4}, "7401020304"},
	{"char", Char('é'), "73000000e9"},
	{"timestamp", time.Date(2011, 7, 26, 18, 21, 3, 521e6, time.UTC), "830000013167adb8a1"},
	{"uuid", UUID{0xf8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, "98f80102030405060708090a0b0c0d0e0f"},
	{"binary", []byte{1, 2}, "a0020102"},
	{"string of 1.2", "Hello Glorious Messaging World", "a11e" + hex.EncodeToString([]byte("Hello Glorious Messaging World"))},
	{"symbol", Symbol("a"), "a30161"},
	{"empty list", List{}, "45"},
	{"list", List{uint32(1), nil}, "c0040252" + "0140"},
	{"map", Map{{"a", true}}, "c10502a1016141"},
	{"array of strings", ArrayOf("a", "bc"), "e00702a1" + "0161" + "026263"},
	{"array of booleans", ArrayOf(true, false), "e00402560100"},
	{"array of uints with a zero", ArrayOf(uint32(0), uint32(7)), "e00402520007"},
	{"array of uints, one of them long", ArrayOf(uint32(1), uint32(256)), "e00a02700000000100000100"},
	{"empty array of symbols", Array{Items: []any{}, Element: fmtSymbol8}, "e00200a3"},
	{"described string of 1.2", Described{"URL", "http://example.org/hello-world"},
		"00a10355524ca11e" + hex.EncodeToString([]byte("http://example.org/hello-world"))},
	{"book of 1.4", Described{Symbol("example:book:list"), List{"AMQP for & by Dummies", ArrayOf("Rob J. Godfrey", "Rafael H. Schloming"), nil}},
		"00a311" + hex.EncodeToString([]byte("example:book:list")) + "c04003a115" + hex.EncodeToString([]byte("AMQP for & by Dummies")) +
			"e02502a10e" + hex.EncodeToString([]byte("Rob J. Godfrey")) + "13" + hex.EncodeToString([]byte("Rafael H. Schloming")) + "40"},
}

func TestVectors(t *testing.T) {
	for _, v := range vectors {
		t.Run(v.name, func(t *testing.T) {
			got, err := Marshal(v.value)
			if err != nil || hex.EncodeToString(got) != v.hex {
				t.Errorf("Marshal gives %x, %v; want %s", got, err, v.hex)
			}
			want, _ := hex.DecodeString(v.hex)
			back, err := Unmarshal(want)
			if err != nil || !reflect.DeepEqual(back, v.value) {
				t.Errorf("Unmarshal gives %#v, %v; want %#v", back, err, v.value)
			}
		})
	}
}

// Forms that decode although encoding would choose a shorter one.
func TestLongFormsDecode(t *testing.T) {
	for in, want := range map[string]any{
		"5601":                     true,
		"7000000001":               uint32(1),
		"800000000000000001":       uint64(1),
		"7100000001":               int32(1),
		"810000000000000001":       int64(1),
		"b00000000101":             []byte{1},
		"b10000000161":             "a",
		"b30000000161":             Symbol("a"),
		"c00100":                   List{},
		"d0000000050000000140":     List{nil},
		"d10000000700000002540142": Map{{int32(1), false}},
		"f00000000700000002520102": ArrayOf(uint32(1), uint32(2)),
		"e0020241":                 ArrayOf(true, true),
		"0080000000000000007540":   Described{uint64(0x75), nil},
		"e0080300530152010203":     Array{Descriptor: uint64(1), Items: []any{uint32(1), uint32(2), uint32(3)}},
	} {
		b, err := hex.DecodeString(in)
		if err != nil {
			t.Fatal(in, err)
		}
		got, err := Unmarshal(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s decodes to %#v, %v; want %#v", in, got, err, want)
		}
	}
}

func TestMalformedValuesAreRefused(t *testing.T) {
	deep := bytes.Repeat([]byte{0xd0, 0, 0, 0, 0, 0, 0, 0, 1}, MaxDepth+1)
	for i := range MaxDepth + 1 { // sizes that fit
		binary.BigEndian.PutUint32(deep[9*i+1:], uint32(len(deep)-9*i-5))
	}
	tests := []struct{ name, hex, says string }{
		{"nothing", "", "bytes are needed"},
		{"cut off", "7000", "bytes are needed"},
		{"no such code", "4f", "no format code"},
		{"no such layout", "10", "no format code"},
		{"bytes after it", "4040", "follow the value"},
		{"boolean of 2", "5602", "boolean"},
		{"not UTF-8", "a101ff", "UTF-8"},
		{"string longer than the input", "b17fffffff61", "bytes are needed"},
		{"size beyond 2^31", "b1ffffffff", "a size of"},
		{"list longer than the input", "d07fffffff00000000", "are announced"},
		{"list with more elements than bytes", "c00305" + "4040", "elements are announced"},
		{"list with bytes left over", "c0030140" + "40", "bytes too many"},
		{"map of an odd count", "c10201" + "40", "map of 1"},
		{"map with a key twice", "c10904a1016140" + "a1016140", "twice"},
		{"array of 2^31-1 nulls", "f0000000057fffffff40", "more than"},
		{"array of described described", "e006010053010053", "two descriptors"},
		{"array without a constructor", "e00101", "bytes are needed"},
		{"described without a value", "005310", "bytes are needed"},
		{"too deep", hex.EncodeToString(deep), "nested deeper"},
		{"descriptors too deep", strings.Repeat("00", 100), "nested deeper"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b, err := hex.DecodeString(test.hex)
			if err != nil {
				t.Fatal(err)
			}
			v, err := Unmarshal(b)
			var fault *Error
			if !errors.As(err, &fault) || fault.Condition != CondDecodeError || !strings.Contains(fault.Description, test.says) {
				t.Errorf("decodes to %v with the error %v", v, err)
			}
		})
	}
}

func TestGoTypesWithoutAMQPTypeAreRefused(t *testing.T) {
	for _, v := range []any{1, struct{}{}, List{uint(1)}, Map{{"a", new(int)}}, ArrayOf[any](uint32(1), "a"), ArrayOf(1), ArrayOf(ArrayOf(1))} {
		if b, err := Marshal(v); err == nil {
			t.Errorf("%#v encodes to %x", v, b)
		}
	}
}

func TestValuesSurviveEncoding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := anyValue(4).Draw(t, "value")
		b, err := Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := Unmarshal(b)
		if err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("%#v comes back as %#v, %v", v, back, err)
		}
	})
}

// scalar generates values of each type that is not compound.
func scalar() *rapid.Generator[any] {
	return rapid.OneOf(
		rapid.Just(any(nil)), rapid.Bool().AsAny(), rapid.Uint8().AsAny(), rapid.Uint16().AsAny(), rapid.Uint32().AsAny(), rapid.Uint64().AsAny(),
		rapid.Int8().AsAny(), rapid.Int16().AsAny(), rapid.Int32().AsAny(), rapid.Int64().AsAny(), rapid.Float32().AsAny(), rapid.Float64().AsAny(),
		rapid.String().AsAny(), rapid.SliceOf(rapid.Byte()).AsAny(), rapid.Just(any(Symbol(strings.Repeat("s", 300)))),
		rapid.Map(rapid.StringMatching(`[a-z:-]{0,20}`), func(s string) any { return Symbol(s) }),
		rapid.Map(rapid.Int64Range(math.MinInt64/1000000, math.MaxInt64/1000000), func(ms int64) any { return time.UnixMilli(ms).UTC() }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) any { return UUID(b) }),
	)
}

func anyValue(depth int) *rapid.Generator[any] {
	own := rapid.OneOf(scalar(),
		rapid.Map(rapid.Rune(), func(r rune) any { return Char(r) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 8, 8), func(b []byte) any { return Decimal64(b) }),
		rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) any { return Decimal128(b) }),
	)
	if depth == 0 {
		return own
	}
	inner := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(depth - 1) })
	return rapid.OneOf(own, listOf(inner).AsAny(), mapOf(inner).AsAny(), array().AsAny(),
		rapid.Custom(func(t *rapid.T) any { return Described{inner.Draw(t, "descriptor"), inner.Draw(t, "value")} }),
		rapid.Map(rapid.SliceOfN(listOf(inner), 1, 3), func(lists []List) any { return ArrayOf(lists...) }),
		rapid.Map(rapid.SliceOfN(mapOf(inner), 1, 3), func(maps []Map) any { return ArrayOf(maps...) }),
		rapid.Map(rapid.SliceOfN(array(), 1, 3), func(arrays []Array) any { return ArrayOf(arrays...) }),
	)
}

func listOf(item *rapid.Generator[any]) *rapid.Generator[List] {
	return rapid.Map(rapid.SliceOfN(item, 0, 4), func(items []any) List { return append(List{}, items...) })
}

func mapOf(value *rapid.Generator[any]) *rapid.Generator[Map] {
	return rapid.Custom(func(t *rapid.T) Map {
		m := Map{}
		key := rapid.OneOf(rapid.StringN(0, 5, 20).AsAny(), rapid.Int64().AsAny(), rapid.Uint64().AsAny())
		for _, k := range rapid.SliceOfNDistinct(key, 0, 4, rapid.ID[any]).Draw(t, "keys") {
			m = append(m, MapEntry{k, value.Draw(t, "value")})
		}
		return m
	})
}

func array() *rapid.Generator[Array] {
	return rapid.OneOf(arrayOf(rapid.Bool()), arrayOf(rapid.Uint16()), arrayOf(rapid.Uint32()), arrayOf(rapid.Uint64()),
		arrayOf(rapid.Int8()), arrayOf(rapid.Int16()), arrayOf(rapid.Int32()), arrayOf(rapid.Int64()), arrayOf(rapid.Float32()), arrayOf(rapid.Float64()),
		arrayOf(rapid.String()), arrayOf(rapid.SliceOf(rapid.Byte())),
		arrayOf(rapid.Map(rapid.SliceOfN(rapid.Byte(), 16, 16), func(b []byte) UUID { return UUID(b) })),
		arrayOf(rapid.Map(rapid.StringMatching(`[a-z]{1,8}`), func(s string) Symbol { return Symbol(s) })),
		arrayOf(rapid.Map(rapid.Int64Range(0, 1<<43), func(ms int64) time.Time { return time.UnixMilli(ms).UTC() })),
	)
}

func arrayOf[T any](item *rapid.Generator[T]) *rapid.Generator[Array] {
	return rapid.Map(rapid.SliceOfN(item, 1, 5), func(items []T) Array { return ArrayOf(items...) })
}
