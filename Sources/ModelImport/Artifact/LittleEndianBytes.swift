internal import TradingTypes

/// Bytes that numbers are added to, little-endian. Sections start on a border of 64, so padding counts from their
/// start.
struct LittleEndianBytes {
  var bytes: [UInt8] = []

  mutating func append<I: FixedWidthInteger>(_ integer: I) {
    for shift in stride(from: 0, to: I.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: integer >> I(shift)))
    }
  }

  mutating func append(_ value: Float) { append(value.bitPattern) }
  mutating func append(_ value: Double) { append(value.bitPattern) }

  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
