/// Bytes of one message: big-endian integers at any offset, every access inside the message.
///
/// A decoder compares `count` with the length of the message type once; loads at fixed offsets after that need no test of
/// their own in optimised code, because the compiler knows the count. Safe for any offset: one outside traps.
@frozen public struct ByteView: ~Escapable, BitwiseCopyable {
  /// The bytes.
  public let bytes: RawSpan

  /// A view of `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: RawSpan) { self.bytes = bytes }

  /// A view of `bytes`.
  @_lifetime(copy bytes)
  @inlinable public init(_ bytes: Span<UInt8>) {
    // Safe: a byte has no padding that its raw view could show.
    self.bytes = unsafe bytes.bytes
  }

  /// Number of bytes.
  @inlinable public var count: Int { bytes.byteCount }

  /// The byte at `offset`.
  ///
  /// - Precondition: `0 <= offset < count`.
  @inlinable public func byte(at offset: Int) -> UInt8 { load(UInt8.self, at: offset) }

  /// The 16-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian16(at offset: Int) -> UInt16 { UInt16(bigEndian: load(UInt16.self, at: offset)) }

  /// The 32-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian32(at offset: Int) -> UInt32 { UInt32(bigEndian: load(UInt32.self, at: offset)) }

  /// The 48-bit big-endian integer that starts at `offset`.
  ///
  /// - Precondition: `2 <= offset`, because one 64-bit load fetches it with the two bytes before.
  @inlinable public func bigEndian48(at offset: Int) -> UInt64 {
    bigEndian64(at: offset - 2) & 0xFFFF_FFFF_FFFF
  }

  /// The 64-bit big-endian integer that starts at `offset`.
  @inlinable public func bigEndian64(at offset: Int) -> UInt64 { UInt64(bigEndian: load(UInt64.self, at: offset)) }

  /// The eight bytes from `offset` with the first one lowest, as `Symbol` packs its characters.
  @inlinable public func littleEndian64(at offset: Int) -> UInt64 {
    UInt64(littleEndian: load(UInt64.self, at: offset))
  }

  @inlinable func load<I: FixedWidthInteger & BitwiseCopyable>(_ type: I.Type, at offset: Int) -> I {
    precondition(
      offset >= 0 && offset <= count - MemoryLayout<I>.size, "ByteView: the bytes of the integer are in the view")
    // In bounds: checked above; any bit pattern is a valid integer.
    return unsafe bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: offset, as: I.self)
  }

  /// The `length` bytes from `offset`.
  ///
  /// - Precondition: they are inside the view.
  @_lifetime(copy self)
  @inlinable public func slice(from offset: Int, count length: Int) -> ByteView {
    precondition(
      offset >= 0 && length >= 0 && offset <= count && length <= count - offset, "ByteView: the slice is in the view")
    // In bounds: checked above, and the sum cannot overflow because it is at most `count`.
    return unsafe ByteView(bytes.extracting(unchecked: offset..<(offset &+ length)))
  }
}
