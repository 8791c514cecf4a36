package amqp

// Format codes of the primitive types (1.6). The upper four bits tell how the data is laid out (1.2.1).
const (
	fmtDescribed byte = 0x00

	fmtNull   byte = 0x40
	fmtTrue   byte = 0x41
	fmtFalse  byte = 0x42
	fmtUint0  byte = 0x43
	fmtUlong0 byte = 0x44
	fmtList0  byte = 0x45

	fmtUbyte      byte = 0x50
	fmtByte       byte = 0x51
	fmtSmallUint  byte = 0x52
	fmtSmallUlong byte = 0x53
	fmtSmallInt   byte = 0x54
	fmtSmallLong  byte = 0x55
	fmtBoolean    byte = 0x56

	fmtUshort byte = 0x60
	fmtShort  byte = 0x61

	fmtUint      byte = 0x70
	fmtInt       byte = 0x71
	fmtFloat     byte = 0x72
	fmtChar      byte = 0x73
	fmtDecimal32 byte = 0x74

	fmtUlong     byte = 0x80
	fmtLong      byte = 0x81
	fmtDouble    byte = 0x82
	fmtTimestamp byte = 0x83
	fmtDecimal64 byte = 0x84

	fmtDecimal128 byte = 0x94
	fmtUUID       byte = 0x98

	fmtBinary8  byte = 0xa0
	fmtString8  byte = 0xa1
	fmtSymbol8  byte = 0xa3
	fmtBinary32 byte = 0xb0
	fmtString32 byte = 0xb1
	fmtSymbol32 byte = 0xb3

	fmtList8   byte = 0xc0
	fmtMap8    byte = 0xc1
	fmtList32  byte = 0xd0
	fmtMap32   byte = 0xd1
	fmtArray8  byte = 0xe0
	fmtArray32 byte = 0xf0
)
