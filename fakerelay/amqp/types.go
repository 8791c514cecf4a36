package amqp

// Types of part 1 that Go has no name for. The others are Go's own: nil, bool, uint8 to uint64, int8 to int64,
// float32, float64, time.Time (timestamp, milliseconds, UTC), []byte (binary) and string.
type (
	// Symbol is a string from a constrained domain, ASCII on the wire.
	Symbol string
	// Char is one Unicode code point.
	Char rune
	// UUID is in RFC 4122 byte order.
	UUID [16]byte
	// Decimal32 is IEEE 754-2008 decimal32, not interpreted.
	Decimal32 [4]byte
	// Decimal64 is IEEE 754-2008 decimal64, not interpreted.
	Decimal64 [8]byte
	// Decimal128 is IEEE 754-2008 decimal128, not interpreted.
	Decimal128 [16]byte
	// List is a sequence of values of any types.
	List []any
	// Map keeps the order of its entries, and keys of any type. A decoded map has no key twice.
	Map []MapEntry
	// MapEntry is one pair of a Map.
	MapEntry struct{ Key, Value any }
	// Described is a value with a descriptor, which is a uint64 or a Symbol in everything the standard defines.
	Described struct{ Descriptor, Value any }
)

// Array is a sequence of values of one type, with one descriptor for all of them if it is not nil.
type Array struct {
	Items      []any
	Descriptor any
	Element    byte // format code of the elements; decoding sets it, and encoding needs it, only where Items is empty (default: null)
}

// ArrayOf makes an Array of items of one type.
func ArrayOf[T any](items ...T) Array {
	a := Array{Items: make([]any, len(items))}
	for i, item := range items {
		a.Items[i] = item
	}
	return a
}

// Get returns the value of the entry whose key has this type and value; key must be of a comparable type.
func (m Map) Get(key any) (any, bool) {
	for _, e := range m {
		if isComparable(e.Key) && e.Key == key {
			return e.Value, true
		}
	}
	return nil, false
}

// With returns m with the entry of this key replaced, or added at the end. m itself is not changed.
func (m Map) With(key, value any) Map {
	out := make(Map, len(m), len(m)+1)
	copy(out, m)
	for i, e := range out {
		if isComparable(e.Key) && e.Key == key {
			out[i].Value = value
			return out
		}
	}
	return append(out, MapEntry{key, value})
}

// Lookup returns the value of a key where it is there and a T, else the zero T and false.
func Lookup[T any](m Map, key any) (T, bool) {
	v, _ := m.Get(key)
	t, ok := v.(T)
	return t, ok
}

// isComparable tells whether a decoded value may be compared by ==, which panics for slices.
func isComparable(v any) bool {
	switch v.(type) {
	case []byte, List, Map, Array, Described:
		return false
	}
	return true
}
