extension [UInt8] {
  /// The bytes as decoders read them, for as long as the array is not changed.
  @inlinable public var rawBytes: RawSpan {
    @_lifetime(borrow self) get {
      // Every bit pattern of a byte is a valid byte.
      unsafe span.bytes
    }
  }
}
