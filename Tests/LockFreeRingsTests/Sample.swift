/// 40 bytes whose fields all follow from one number, so that a torn one shows.
struct Sample: BitwiseCopyable, Sendable, Equatable {
  var number: UInt64
  var mixed: UInt64
  var inverse: UInt64
  var text: (UInt32, UInt16, UInt8) = (0, 0, 0)
  var last: UInt64

  init(_ number: UInt64) {
    self.number = number
    mixed = number &* 0x9E37_79B9_7F4A_7C15
    inverse = ~number
    text = (UInt32(truncatingIfNeeded: number), UInt16(truncatingIfNeeded: number), UInt8(truncatingIfNeeded: number))
    last = number ^ 0x5555
  }

  var isWhole: Bool { self == Sample(number) }

  static func == (left: Sample, right: Sample) -> Bool {
    left.number == right.number && left.mixed == right.mixed && left.inverse == right.inverse
      && left.text == right.text && left.last == right.last
  }
}
