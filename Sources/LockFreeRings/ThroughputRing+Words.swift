// Records of any plain type in a ring of words: how the journal's ring carries payloads of many types without a copy in between.

extension ThroughputRing.Producer where Element == UInt64 {
  /// Words that `Value` fills: its size rounded up.
  @inlinable public static func wordCount<Value: BitwiseCopyable>(of type: Value.Type) -> Int {
    (MemoryLayout<Value>.size + 7) / 8
  }

  /// Writes the bytes of `value` into claimed slots from `index` on, the last word filled up with zeros.
  ///
  /// Padding inside `Value` is written as it is in memory: a type whose bytes must be reproducible has none.
  ///
  /// - Precondition: `wordCount(of:)` slots from `index` on are claimed.
  @inlinable public mutating func write<Value: BitwiseCopyable>(bytesOf value: borrowing Value, atClaimed index: Int) {
    let size = MemoryLayout<Value>.size
    unsafe withUnsafeBytes(of: value) { bytes in
      for word in 0..<(size / 8) {
        // In bounds: whole words of the value.
        unsafe write(bytes.loadUnaligned(fromByteOffset: word * 8, as: UInt64.self), atClaimed: index + word)
      }
      if size % 8 != 0 {
        var last: UInt64 = 0
        for place in (size & ~7)..<size {
          unsafe last |= UInt64(bytes[place]) << UInt64(8 * (place & 7))
        }
        write(last, atClaimed: index + size / 8)
      }
    }
  }

  /// Writes `bytes` into claimed slots from `index` on, the last word filled up with zeros.
  ///
  /// - Precondition: `(bytes.byteCount + 7) / 8` slots from `index` on are claimed.
  @inlinable public mutating func write(bytes: RawSpan, atClaimed index: Int) {
    let whole = bytes.byteCount / 8
    for word in 0..<whole {
      // In bounds: whole words of the span.
      let value = unsafe bytes.unsafeLoadUnaligned(fromByteOffset: word * 8, as: UInt64.self)
      write(value, atClaimed: index + word)
    }
    if bytes.byteCount % 8 != 0 {
      var last: UInt64 = 0
      for place in (whole * 8)..<bytes.byteCount {
        last |= unsafe UInt64(bytes.unsafeLoad(fromByteOffset: place, as: UInt8.self)) << UInt64(8 * (place & 7))
      }
      write(last, atClaimed: index + whole)
    }
  }
}
