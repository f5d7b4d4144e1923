internal import CUring

/// CRC32C (Castagnoli): the checksum of records and headers.
///
/// - Source: RFC 3720, appendix B.4; the mask is that of LevelDB's log format, so that a stored checksum is not a checksum of itself.
enum CRC32C {
  /// The checksum of whole words by the processor where it can, else by the table; `seed` is the checksum of what came before.
  static func of(words: Span<UInt64>, seed: UInt32 = 0) -> UInt32 {
    guard isAccelerated else { return reference(words: words, seed: seed) }
    return unsafe words.withUnsafeBufferPointer { buffer in
      // An empty buffer may have no address.
      guard let base = buffer.baseAddress else { return seed }
      return unsafe martlet_crc32c(seed, base, buffer.count * 8)
    }
  }

  /// The checksum of the four bytes of `half` followed by `words`: a record from its length on.
  static func of(half: UInt32, words: Span<UInt64>) -> UInt32 { of(words: words, seed: step(half)) }

  /// The table twin of `of(words:seed:)`, which defines the right answer.
  static func reference(words: Span<UInt64>, seed: UInt32 = 0) -> UInt32 {
    var state = ~seed
    for index in words.indices {
      var word = words[index]
      for _ in 0..<8 {
        state = table[Int((state ^ UInt32(truncatingIfNeeded: word)) & 0xFF)] ^ state >> 8
        word >>= 8
      }
    }
    return ~state
  }

  /// A stored checksum.
  static func masked(_ crc: UInt32) -> UInt32 {
    // Wrapping: the mask is defined modulo 2^32.
    (crc >> 15 | crc << 17) &+ 0xA282_EAD8
  }

  static let isAccelerated = martlet_crc32c_is_supported()

  private static func step(_ half: UInt32) -> UInt32 {
    var state = ~UInt32(0)
    for place in 0..<4 as Range<UInt32> {
      state = table[Int((state ^ half >> (8 * place)) & 0xFF)] ^ state >> 8
    }
    return ~state
  }

  private static let table: [UInt32] = (0..<256).map { byte in
    (0..<8).reduce(UInt32(byte)) { state, _ in state & 1 == 1 ? state >> 1 ^ 0x82F6_3B78 : state >> 1 }
  }
}

/// A SHA-256 value: the state of the chain that every seal extends.
public struct ChainDigest: BitwiseCopyable, Hashable, Sendable, CustomStringConvertible {
  /// The 32 bytes, eight to a word, first byte lowest.
  public var words: (UInt64, UInt64, UInt64, UInt64)

  /// 32 zero bytes: what comes before the first segment.
  public init() { words = (0, 0, 0, 0) }

  init(_ first: UInt64, _ second: UInt64, _ third: UInt64, _ fourth: UInt64) {
    words = (first, second, third, fourth)
  }

  /// The chain after `bytes`, given as whole words: SHA-256 of this value followed by them.
  func extended(by bytes: Span<UInt64>) -> ChainDigest {
    var result = ChainDigest()
    unsafe withUnsafeBytes(of: words) { prefix in
      unsafe withUnsafeMutableBytes(of: &result.words) { digest in
        unsafe bytes.withUnsafeBufferPointer { buffer in
          // Any address serves for no bytes.
          let base = unsafe UnsafeRawPointer(buffer.baseAddress) ?? prefix.baseAddress!
          unsafe martlet_sha256_chained(prefix.baseAddress!, base, buffer.count * 8, digest.baseAddress!)
        }
      }
    }
    return result
  }

  /// Equal bytes.
  public static func == (left: ChainDigest, right: ChainDigest) -> Bool { left.words == right.words }

  /// Hashes the bytes.
  public func hash(into hasher: inout Hasher) { hasher.combine(words.0) }

  /// 64 lower-case hexadecimal digits.
  public var description: String {
    [words.0, words.1, words.2, words.3].map { word in
      (0..<8).map { place in
        let byte = UInt8(truncatingIfNeeded: word >> UInt64(8 * place))
        return (byte < 16 ? "0" : "") + String(byte, radix: 16)
      }.joined()
    }.joined()
  }
}
