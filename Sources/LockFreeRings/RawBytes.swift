// Integers as bytes: every bit pattern is a value and there is no padding, so nothing hidden can be read.

extension [UInt8] {
  /// The bytes as decoders read them, for as long as the array is not changed.
  @inlinable public var rawBytes: RawSpan {
    @_lifetime(borrow self) get { unsafe span.bytes }
  }
}

extension Span where Element == UInt64 {
  /// The bytes of the words, in memory order.
  @inlinable public var rawBytes: RawSpan {
    @_lifetime(copy self) get { unsafe bytes }
  }
}

extension Span where Element == UInt8 {
  /// The bytes, as decoders and rings take them.
  @inlinable public var rawBytes: RawSpan {
    @_lifetime(copy self) get { unsafe bytes }
  }
}
