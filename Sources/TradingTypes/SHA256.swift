/// SHA-256, for state hashes, checksums of artifacts and seals. Off the hot path.
///
/// - Source: FIPS 180-4, section 6.2.
public struct SHA256: Sendable {
  private var state: [UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  private var block: [UInt8] = []
  private var lengthBytes: UInt64 = 0

  private static let rounds: [UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]

  /// The digest of nothing yet.
  public init() { block.reserveCapacity(64) }

  /// Adds bytes.
  public mutating func combine(_ bytes: some Sequence<UInt8>) {
    for byte in bytes {
      block.append(byte)
      lengthBytes &+= 1
      if block.count == 64 { compress() }
    }
  }

  /// Adds an integer, little-endian.
  public mutating func combine<I: FixedWidthInteger>(_ integer: I) {
    combine((0..<(I.bitWidth / 8)).map { UInt8(truncatingIfNeeded: integer >> I($0 * 8)) })
  }

  /// The 32 bytes of the digest; `self` is not changed, so a digest can be taken at any point.
  public var digest: [UInt8] {
    var copy = self
    let lengthBits = lengthBytes &* 8
    copy.combine(CollectionOfOne<UInt8>(0x80))
    while copy.block.count != 56 { copy.combine(CollectionOfOne<UInt8>(0)) }
    copy.combine((0..<8).map { UInt8(truncatingIfNeeded: lengthBits >> UInt64(56 - 8 * $0)) })
    return copy.state.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> UInt32(24 - 8 * $0)) } }
  }

  /// The digest as 64 lower-case hexadecimal digits.
  public var hex: String { digest.map { $0 < 16 ? "0" + String($0, radix: 16) : String($0, radix: 16) }.joined() }

  private mutating func compress() {
    var words = InlineArray<64, UInt32>(repeating: 0)
    for place in 0..<16 {
      let byte = 4 * place
      words[place] =
        UInt32(block[byte]) << 24 | UInt32(block[byte + 1]) << 16 | UInt32(block[byte + 2]) << 8
        | UInt32(block[byte + 3])
    }
    // Wrapping throughout: additions are defined modulo 2^32.
    for place in 16..<64 {
      let early = words[place - 15]
      let late = words[place - 2]
      let sigma0 = Self.rotated(early, 7) ^ Self.rotated(early, 18) ^ early >> 3
      let sigma1 = Self.rotated(late, 17) ^ Self.rotated(late, 19) ^ late >> 10
      words[place] = words[place - 16] &+ sigma0 &+ words[place - 7] &+ sigma1
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for place in 0..<64 {
      let sum1 = Self.rotated(e, 6) ^ Self.rotated(e, 11) ^ Self.rotated(e, 25)
      let first = h &+ sum1 &+ ((e & f) ^ (~e & g)) &+ Self.rounds[place] &+ words[place]
      let sum0 = Self.rotated(a, 2) ^ Self.rotated(a, 13) ^ Self.rotated(a, 22)
      let second = sum0 &+ ((a & b) ^ (a & c) ^ (b & c))
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
    }
    for (place, word) in [a, b, c, d, e, f, g, h].enumerated() { state[place] = state[place] &+ word }
    block.removeAll(keepingCapacity: true)
  }

  private static func rotated(_ value: UInt32, _ count: UInt32) -> UInt32 { value >> count | value << (32 - count) }
}
