// Little-endian integers, for the feeds that are written so.
extension ByteView {
  /// The 16-bit little-endian integer that starts at `offset`.
  @inlinable public func littleEndian16(at offset: Int) -> UInt16 {
    UInt16(littleEndian: load(UInt16.self, at: offset))
  }

  /// The 32-bit little-endian integer that starts at `offset`.
  @inlinable public func littleEndian32(at offset: Int) -> UInt32 {
    UInt32(littleEndian: load(UInt32.self, at: offset))
  }
}
