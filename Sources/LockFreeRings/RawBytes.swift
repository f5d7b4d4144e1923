public import CPlatform

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

/// Asks the memory for the line `offset` bytes from `start`, to be read soon.
///
/// A hint, not an access: any offset does, and none makes it fault.
@inlinable @inline(__always) public func prefetchToRead(_ start: UnsafeRawPointer, at offset: Int) {
  unsafe martlet_prefetch_to_read(start, offset)
}
