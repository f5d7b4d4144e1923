extension ByteView {
  /// The 16-bit little-endian integer that starts at `offset`.
  @inlinable func iex16(at offset: Int) -> UInt16 { bigEndian16(at: offset).byteSwapped }

  /// The 32-bit little-endian integer that starts at `offset`.
  @inlinable func iex32(at offset: Int) -> UInt32 { bigEndian32(at: offset).byteSwapped }
}
